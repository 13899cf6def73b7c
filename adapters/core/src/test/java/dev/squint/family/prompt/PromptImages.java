package dev.squint.family.prompt;

import dev.squint.engine.request.PixelValues;
import dev.squint.family.ImagePart;
import dev.squint.family.PromptImage;
import java.util.List;

/** Images of nothing. */
final class PromptImages {

  private PromptImages() {}

  /** One of a grid of tokens. */
  static PromptImage grid(ChatPrompts prompts, int rows, int columns) {
    return new PromptImage(
        PixelValues.blank(new long[] {1, 3, rows, columns}),
        prompts.placeholder(rows * columns),
        List.of(ImagePart.grid(0, rows, columns)));
  }
}

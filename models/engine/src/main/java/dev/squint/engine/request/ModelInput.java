package dev.squint.engine.request;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.pruning.layout.TokenLayout;
import java.util.Objects;
import java.util.Optional;

/**
 * A prompt ready for the model.
 *
 * @param tokenIds all tokens, every image placeholder expanded to one id per visual token
 * @param layout which of them are visual
 * @param pixels the images; present exactly if the layout has visual tokens
 */
public record ModelInput(long[] tokenIds, TokenLayout layout, Optional<PixelValues> pixels) {

  /** Checks that the parts agree. */
  public ModelInput {
    Objects.requireNonNull(layout, "layout");
    Objects.requireNonNull(pixels, "pixels");
    tokenIds = tokenIds.clone();
    if (tokenIds.length == 0) {
      throw new ModelException(Kind.BAD_REQUEST, "the prompt has no tokens; ask a question");
    }
    if (layout.length() != tokenIds.length) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the token layout describes %d tokens, but the prompt has %d"
              .formatted(layout.length(), tokenIds.length));
    }
    if (pixels.isPresent() == layout.visual().isEmpty()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          pixels.isPresent()
              ? "an image is given, but no token of the prompt stands for it; put an image"
                  + " placeholder into the prompt"
              : "the prompt has image placeholders, but no image is given");
    }
  }

  @Override
  public long[] tokenIds() {
    return tokenIds.clone();
  }
}

package dev.squint.engine.request;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.pruning.layout.TokenLayout;
import java.util.List;
import java.util.Objects;

/**
 * A prompt ready for the model.
 *
 * @param tokenIds all tokens, every image placeholder expanded to one id per visual token
 * @param layout which of them are visual
 * @param images pixel values of its images, one after the other; there are some exactly if the
 *     layout has visual tokens
 */
public record ModelInput(long[] tokenIds, TokenLayout layout, List<PixelValues> images) {

  /** Checks that the parts agree. */
  public ModelInput {
    Objects.requireNonNull(layout, "layout");
    images = List.copyOf(images);
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
    if (images.isEmpty() != layout.visual().isEmpty()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          !images.isEmpty()
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

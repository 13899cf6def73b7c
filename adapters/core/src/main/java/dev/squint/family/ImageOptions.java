package dev.squint.family;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.util.OptionalLong;

/**
 * How an image is prepared for one request, besides what the model's files say.
 *
 * @param alone whether it is the only image of its prompt; some families cut such a one into tiles
 * @param minPixels an image of less area is enlarged; empty for the model's own bound
 * @param maxPixels an image of more area is made smaller; empty for the model's own bound
 */
public record ImageOptions(boolean alone, OptionalLong minPixels, OptionalLong maxPixels) {

  /** What the model's files say, for a prompt of one image. */
  public static final ImageOptions DEFAULTS =
      new ImageOptions(true, OptionalLong.empty(), OptionalLong.empty());

  /** Checks the bounds. */
  public ImageOptions {
    if (minPixels.orElse(1) < 1 || maxPixels.orElse(1) < 1) {
      throw new ModelException(
          Kind.BAD_REQUEST, "an image has an area of 1 pixel or more; choose other bounds");
    }
    if (maxPixels.isPresent() && minPixels.orElse(1) > maxPixels.getAsLong()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "images cannot have at least %d and at most %d pixels; choose other bounds"
              .formatted(minPixels.orElse(1), maxPixels.getAsLong()));
    }
  }

  /** The same with another lower bound. */
  public ImageOptions withMinPixels(long pixels) {
    return new ImageOptions(alone, OptionalLong.of(pixels), maxPixels);
  }

  /** The same with another upper bound. */
  public ImageOptions withMaxPixels(long pixels) {
    return new ImageOptions(alone, minPixels, OptionalLong.of(pixels));
  }

  /** The same for a prompt of so many images. */
  public ImageOptions among(int images) {
    return new ImageOptions(images == 1, minPixels, maxPixels);
  }

  /** Whether the model's own bounds count. */
  public boolean isOwnSize() {
    return minPixels.isEmpty() && maxPixels.isEmpty();
  }
}

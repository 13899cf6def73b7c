package dev.squint.pruning;

import java.util.Objects;

/**
 * What a strategy may know about a model.
 *
 * @param name the model's name
 * @param decoder the decoder's shape
 * @param vision the vision tower's shape
 * @param visualTokens visual tokens one picture becomes
 */
public record ModelFacts(String name, DecoderShape decoder, VisionShape vision, int visualTokens) {

  public ModelFacts {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(decoder, "decoder");
    Objects.requireNonNull(vision, "vision");
    if (visualTokens < 0) {
      throw new IllegalArgumentException(
          "a picture cannot become " + visualTokens + " visual tokens");
    }
  }
}

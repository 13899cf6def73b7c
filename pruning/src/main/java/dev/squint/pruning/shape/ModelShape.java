package dev.squint.pruning.shape;

import java.util.Objects;

/**
 * What a strategy may know about a model.
 *
 * @param name the model's name
 * @param decoder the decoder's shape
 * @param vision the vision tower's shape
 * @param visualTokens visual tokens one image becomes
 * @param ropeTheta base of the decoder's rotary frequencies: pair i turns by {@code position *
 *     ropeTheta^(-2i / headDim)}
 */
public record ModelShape(
    String name, DecoderShape decoder, VisionShape vision, int visualTokens, double ropeTheta) {

  private static final double LLAMA_THETA = 10_000;

  public ModelShape {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(decoder, "decoder");
    Objects.requireNonNull(vision, "vision");
    if (visualTokens < 0) {
      throw new IllegalArgumentException(
          "an image cannot become " + visualTokens + " visual tokens");
    }
    if (!(ropeTheta > 0)) {
      throw new IllegalArgumentException("the base of rotary frequencies cannot be " + ropeTheta);
    }
  }

  /**
   * A model with the rotary base of LLaMA, 10,000.
   *
   * @param name the model's name
   * @param decoder the decoder's shape
   * @param vision the vision tower's shape
   * @param visualTokens visual tokens one image becomes
   */
  public ModelShape(String name, DecoderShape decoder, VisionShape vision, int visualTokens) {
    this(name, decoder, vision, visualTokens, LLAMA_THETA);
  }
}

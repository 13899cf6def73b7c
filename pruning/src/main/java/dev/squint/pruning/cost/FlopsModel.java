package dev.squint.pruning.cost;

import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.VisionShape;

/**
 * Floating-point operations, exact from shapes. A multiply-add counts as 2. Counted are the matrix
 * products: patch embedding, q, k, v and o projections, query times key, probability times value
 * (full squares: the causal mask saves nothing in a dense kernel), the MLP, the projector and the
 * output matrix. Norms, activations, softmax, rotary embedding and biases are not counted.
 *
 * <p>The last decoder layer's MLP and the output matrix run for the last prompt token only.
 */
public final class FlopsModel {

  private FlopsModel() {}

  /**
   * Counts one image's way through the vision tower and the projector.
   *
   * @param vision the tower
   * @param decoderHidden width the projector ends in
   * @return FLOPs
   */
  public static long vision(VisionShape vision, int decoderHidden) {
    return tower(vision)
        + projector(vision, decoderHidden, vision.patches() / vision.patchesPerToken());
  }

  /**
   * Counts the projector.
   *
   * @param vision the tower before it
   * @param decoderHidden width the projector ends in
   * @param tokens tokens that are projected
   * @return FLOPs
   */
  public static long projector(VisionShape vision, int decoderHidden, long tokens) {
    long width = (long) vision.hidden() * vision.patchesPerToken();
    if (vision.projectorHidden() == 0) {
      return matrix(tokens, width, decoderHidden);
    }
    return matrix(tokens, width, vision.projectorHidden())
        + matrix(tokens, vision.projectorHidden(), decoderHidden);
  }

  /**
   * Counts one image's way through the vision tower, without the projector.
   *
   * @param vision the tower
   * @return FLOPs
   */
  public static long tower(VisionShape vision) {
    long patches = vision.patches();
    long tokens = patches + (vision.hasCls() ? 1 : 0);
    long width = vision.hidden();
    long embedding = matrix(patches, vision.patchDim(), width);
    long projections = 4 * matrix(tokens, width, width);
    long attention = 2 * matrix(tokens, width, tokens);
    long mlp = 2 * matrix(tokens, width, vision.intermediate());
    return embedding + vision.layers() * (projections + attention + mlp);
  }

  /**
   * Counts a prefill up to the first token's logits.
   *
   * @param decoder the decoder
   * @param tokensPerLayer tokens that run in each layer
   * @return FLOPs
   */
  public static long prefill(DecoderShape decoder, int[] tokensPerLayer) {
    requireLayers(decoder, tokensPerLayer);
    long sum = output(decoder);
    for (int layer = 0; layer < tokensPerLayer.length; layer++) {
      long tokens = tokensPerLayer[layer];
      long mlpTokens = layer == tokensPerLayer.length - 1 ? 1 : tokens;
      sum +=
          projections(decoder, tokens)
              + attention(decoder, tokens, tokens)
              + mlp(decoder, mlpTokens);
    }
    return sum;
  }

  /**
   * Counts the attention of a layer computed ahead of it: the query and key projections of all
   * tokens that arrive and their products.
   *
   * <p>Decoders whose attention is a single node run that node, which weighs values too: beyond
   * this count they spend what one layer spends on its value projection and on probability times
   * value.
   *
   * @param decoder the decoder
   * @param tokens tokens that arrive
   * @return FLOPs
   */
  public static long lookahead(DecoderShape decoder, long tokens) {
    long queries = (long) decoder.heads() * decoder.headDim();
    long keys = (long) decoder.kvHeads() * decoder.headDim();
    return matrix(tokens, decoder.hidden(), queries)
        + matrix(tokens, decoder.hidden(), keys)
        + matrix(tokens, queries, tokens);
  }

  /**
   * Counts one generated token.
   *
   * @param decoder the decoder
   * @param keysPerLayer keys each layer attends to, the new token's own included
   * @return FLOPs
   */
  public static long decodeStep(DecoderShape decoder, int[] keysPerLayer) {
    requireLayers(decoder, keysPerLayer);
    long sum = output(decoder);
    for (int keys : keysPerLayer) {
      sum += projections(decoder, 1) + attention(decoder, 1, keys) + mlp(decoder, 1);
    }
    return sum;
  }

  private static long projections(DecoderShape decoder, long tokens) {
    long queries = (long) decoder.heads() * decoder.headDim();
    long keys = (long) decoder.kvHeads() * decoder.headDim();
    return 2 * matrix(tokens, decoder.hidden(), queries)
        + 2 * matrix(tokens, decoder.hidden(), keys);
  }

  private static long attention(DecoderShape decoder, long queries, long keys) {
    return 2 * matrix(queries, (long) decoder.heads() * decoder.headDim(), keys);
  }

  private static long mlp(DecoderShape decoder, long tokens) {
    return 3 * matrix(tokens, decoder.hidden(), decoder.intermediate());
  }

  private static long output(DecoderShape decoder) {
    return matrix(1, decoder.hidden(), decoder.vocabulary());
  }

  private static long matrix(long rows, long inner, long columns) {
    return 2 * rows * inner * columns;
  }

  private static void requireLayers(DecoderShape decoder, int[] perLayer) {
    if (perLayer.length != decoder.layers()) {
      throw new IllegalArgumentException(
          "a decoder of "
              + decoder.layers()
              + " layers needs as many counts, not "
              + perLayer.length);
    }
  }
}

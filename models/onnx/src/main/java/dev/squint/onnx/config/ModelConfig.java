package dev.squint.onnx.config;

import java.util.Set;

/**
 * What the files of a model folder say: its graphs first, else {@code config.json} and {@code
 * generation_config.json}, else what transformers takes where these are silent.
 *
 * @param modelType the family, such as {@code llava}
 * @param imageToken id of the placeholder that stands for one visual token
 * @param visualTokens visual tokens per image, as the vision tower gives them
 * @param contextLength the longest sequence, prompt and answer together, in tokens
 * @param endTokens tokens that end an answer; none if the model's files name none
 * @param text sizes of the decoder
 * @param vision sizes of the vision tower
 * @param decoding what decides on the next token besides its score
 * @param sampling how it is drawn
 */
public record ModelConfig(
    String modelType,
    long imageToken,
    int visualTokens,
    int contextLength,
    Set<Long> endTokens,
    Text text,
    Vision vision,
    DecodingRules decoding,
    SamplingRules sampling) {

  private static final Set<String> GRID_OF_TOKENS = Set.of("llava_qwen2", "fast_vlm", "moondream1");

  /** Copies the set. */
  public ModelConfig {
    endTokens = Set.copyOf(endTokens);
  }

  /** A model whose next token is always the one with the best score. */
  public ModelConfig(
      String modelType,
      long imageToken,
      int visualTokens,
      int contextLength,
      Set<Long> endTokens,
      Text text,
      Vision vision) {
    this(
        modelType,
        imageToken,
        visualTokens,
        contextLength,
        endTokens,
        text,
        vision,
        DecodingRules.NONE,
        SamplingRules.NONE);
  }

  /** The same with another number of visual tokens. */
  public ModelConfig withVisualTokens(int tokens) {
    return new ModelConfig(
            modelType,
            imageToken,
            tokens,
            contextLength,
            endTokens,
            text,
            vision,
            decoding,
            sampling)
        .laidOut();
  }

  /**
   * The same, with patches as large as what a visual token shows where a tower's own patches are
   * others, or unknown: those of convolutions, and those of Moondream.
   */
  public ModelConfig laidOut() {
    int side = (int) Math.round(Math.sqrt(visualTokens));
    if (!GRID_OF_TOKENS.contains(modelType)
        || side * side != visualTokens
        || side > vision.imageSize()) {
      return this;
    }
    Vision seen =
        new Vision(
            vision.layers(),
            vision.hidden(),
            vision.heads(),
            vision.intermediate(),
            vision.imageSize(),
            vision.imageSize() / side);
    return new ModelConfig(
        modelType,
        imageToken,
        visualTokens,
        contextLength,
        endTokens,
        text,
        seen,
        decoding,
        sampling);
  }

  /**
   * Sizes of a decoder.
   *
   * @param layers number of layers
   * @param hidden width of the hidden states
   * @param heads query heads
   * @param kvHeads heads of keys and values
   * @param headDim width of a head
   * @param intermediate inner width of the MLP
   * @param vocabulary number of tokens known
   * @param ropeTheta base of the rotary frequencies
   */
  public record Text(
      int layers,
      int hidden,
      int heads,
      int kvHeads,
      int headDim,
      int intermediate,
      int vocabulary,
      double ropeTheta) {}

  /**
   * Sizes of a vision tower.
   *
   * @param layers encoder layers up to the one that the projector reads; an export holds no others
   * @param hidden width of the hidden states
   * @param heads attention heads
   * @param intermediate inner width of the MLP
   * @param imageSize side of a square image in pixels: of every one where the tower takes one size
   * @param patchSize side of a patch in pixels
   * @param patchesPerToken patches that are joined into one visual token, 1 without joining; they
   *     form a square
   */
  public record Vision(
      int layers,
      int hidden,
      int heads,
      int intermediate,
      int imageSize,
      int patchSize,
      int patchesPerToken) {

    /** A tower whose patches become a visual token each. */
    public Vision(
        int layers, int hidden, int heads, int intermediate, int imageSize, int patchSize) {
      this(layers, hidden, heads, intermediate, imageSize, patchSize, 1);
    }

    /** Rows and columns of the patches that become one visual token. */
    public int mergeSide() {
      return (int) Math.round(Math.sqrt(patchesPerToken));
    }

    /** Patches in a row of a square image. */
    public int grid() {
      return imageSize / patchSize;
    }
  }
}

package dev.squint.onnx.report;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What an exported model is and where it can be split and tapped.
 *
 * @param layout how its files lie: {@code hub}, {@code onnxruntime-genai}, {@code Mobius} or {@code
 *     one file}
 * @param family the type that its config names, if there is one
 * @param visualTokens visual tokens per image, if the vision tower tells before it runs
 * @param graphs its ONNX files
 * @param decoder the decoder, if there is one
 * @param vision the vision tower, if there is one
 * @param lacks what the graphs lack of the model though they answer, a sentence each
 */
public record ModelReport(
    String layout,
    Optional<String> family,
    Optional<Integer> visualTokens,
    List<GraphFile> graphs,
    Optional<Decoder> decoder,
    Optional<Vision> vision,
    List<String> lacks) {

  /**
   * One ONNX file.
   *
   * @param role {@code decoder}, {@code vision} or {@code embedding}
   * @param file the file
   * @param bytes its size, without external data
   * @param summary what it tells of its origin
   */
  public record GraphFile(String role, Path file, long bytes, GraphSummary summary) {}

  /**
   * A decoder. Sizes that neither config nor graph tell are absent.
   *
   * @param layers number of layers
   * @param heads query heads
   * @param kvHeads heads of keys and values
   * @param hidden width of the hidden states
   * @param headDim width of a head
   * @param vocabulary number of tokens that the logits score
   * @param attention encoding of the attention by layer; layers without one cannot be tapped
   * @param positions where rotary positions come from
   * @param unsplittable layers before which it cannot be split, with the reason
   * @param untappable layers whose attention cannot be observed, with the reason
   */
  public record Decoder(
      int layers,
      Optional<Integer> heads,
      Optional<Integer> kvHeads,
      Optional<Integer> hidden,
      Optional<Integer> headDim,
      Optional<Integer> vocabulary,
      Map<Integer, String> attention,
      PositionSource positions,
      Map<Integer, String> unsplittable,
      Map<Integer, String> untappable) {}

  /**
   * A vision tower.
   *
   * @param layers encoder layers that run
   * @param hasCls whether a [CLS] token runs along
   * @param attention encodings of its attention
   * @param windowed layers that attend within windows only
   * @param inputs names of its inputs
   */
  public record Vision(
      int layers,
      boolean hasCls,
      Set<String> attention,
      List<Integer> windowed,
      Set<String> inputs) {}
}

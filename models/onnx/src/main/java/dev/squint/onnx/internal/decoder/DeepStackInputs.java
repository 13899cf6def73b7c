package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.io.Printable;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Inputs of a decoder that carry DeepStack features: what some layers of the vision tower say of
 * each visual token, added to the hidden states after the first decoder layers (Bai et al.,
 * "Qwen3-VL Technical Report", 2025). They are laid on the sequence, with zeros where text stands.
 *
 * @param names the inputs, in the order of their levels: one {@code [levels, batch, tokens, width]}
 *     or one {@code [batch, tokens, width]} for each level; none in most decoders
 * @param packed whether one carries all levels
 * @param levels how many levels there are, -1 where the graph leaves it open
 */
public record DeepStackInputs(List<String> names, boolean packed, long levels) {

  private static final String WORD = "deepstack";
  private static final int PACKED_RANK = 4;
  private static final int LEVEL_RANK = 3;
  private static final Set<Integer> FLOATS =
      Set.of(
          DataType.FLOAT.getNumber(), DataType.FLOAT16.getNumber(), DataType.BFLOAT16.getNumber());

  static DeepStackInputs of(OnnxGraph graph) {
    List<ValueInfoProto> found =
        graph.inputs().values().stream()
            .filter(
                input ->
                    isNamed(input.getName())
                        && FLOATS.contains(input.getType().getTensorType().getElemType()))
            .sorted(Comparator.comparing(ValueInfoProto::getName, byNumber()))
            .toList();
    List<String> names = found.stream().map(ValueInfoProto::getName).toList();
    if (found.isEmpty()) {
      return new DeepStackInputs(names, false, 0);
    }
    List<Integer> ranks =
        found.stream()
            .map(input -> input.getType().getTensorType().getShape().getDimCount())
            .distinct()
            .toList();
    if (found.size() == 1 && ranks.get(0) == PACKED_RANK) {
      return new DeepStackInputs(names, true, graph.inputDimension(names.get(0), 0));
    }
    if (!ranks.equals(List.of(LEVEL_RANK))) {
      throw new ModelException(
          "%s takes DeepStack features as %s, but one input [levels, batch, tokens, width] or one [batch, tokens, width] a level is known here; export the decoder so"
              .formatted(graph.file(), Printable.of(names.toString())));
    }
    return new DeepStackInputs(names, false, names.size());
  }

  /** Whether a name is that of DeepStack features. */
  public static boolean isNamed(String name) {
    return name.toLowerCase(Locale.ROOT).contains(WORD);
  }

  /** By the number that names end in, so that level 10 comes after level 2. */
  public static Comparator<String> byNumber() {
    return Comparator.comparingInt(DeepStackInputs::number)
        .thenComparing(Comparator.naturalOrder());
  }

  private static int number(String name) {
    int from = name.length();
    while (from > 0 && name.length() - from < 6 && Character.isDigit(name.charAt(from - 1))) {
      from--;
    }
    return from == name.length() ? -1 : Integer.parseInt(name.substring(from));
  }

  /** Whether the decoder takes any. */
  public boolean isEmpty() {
    return names.isEmpty();
  }

  /** The axis of the tokens. */
  public int tokenAxis() {
    return packed ? 2 : 1;
  }

  /** The shape of each input for so many tokens. */
  public long[] shape(long levels, long tokens, long width) {
    return packed ? new long[] {levels, 1, tokens, width} : new long[] {1, tokens, width};
  }
}

package dev.squint.onnx.internal.vision;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.decoder.DeepStackInputs;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.io.Printable;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Outputs of a vision tower that carry DeepStack features, besides {@link VisionGraph#FEATURES}.
 *
 * @param names the outputs, in the order of their levels: one {@code [levels, tokens, width]} or
 *     one {@code [tokens, width]} for each level; none in most towers
 * @param packed whether one carries all levels
 * @param levels how many levels there are, -1 where the graph leaves it open
 */
public record DeepStackOutputs(List<String> names, boolean packed, long levels) {

  private static final int PACKED_RANK = 3;

  static DeepStackOutputs of(OnnxGraph graph) {
    List<String> names =
        graph.outputs().keySet().stream()
            .filter(DeepStackInputs::isNamed)
            .sorted(DeepStackInputs.byNumber())
            .toList();
    if (names.size() != 1) {
      return new DeepStackOutputs(names, false, names.size());
    }
    ValueInfoProto only = graph.outputs().get(names.get(0));
    var shape = only.getType().getTensorType().getShape();
    if (shape.getDimCount() != PACKED_RANK) {
      return new DeepStackOutputs(names, false, 1);
    }
    return new DeepStackOutputs(
        names, true, shape.getDim(0).hasDimValue() ? shape.getDim(0).getDimValue() : -1);
  }

  /**
   * How many levels a tower and a decoder have in common.
   *
   * @param tower the tower's graph, for messages
   * @param wanted what the decoder takes
   * @throws ModelException if the decoder takes what the tower does not give
   */
  int fitting(OnnxGraph tower, DeepStackInputs wanted) {
    if (names.isEmpty()) {
      throw new ModelException(
          "the decoder takes DeepStack features as %s, but %s gives none; use the vision encoder that was exported with it"
              .formatted(Printable.of(wanted.names().toString()), tower.file()));
    }
    long found = levels > 0 ? levels : wanted.levels();
    if (found <= 0 || (wanted.levels() > 0 && wanted.levels() != found)) {
      throw new ModelException(
          "%s gives DeepStack features of %s levels, but the decoder takes %s; use the graphs of one export, which declare their number"
              .formatted(tower.file(), count(levels), count(wanted.levels())));
    }
    return (int) found;
  }

  private static String count(long levels) {
    return levels > 0 ? String.valueOf(levels) : "an open number of";
  }

  /** Names of the levels apart. */
  List<String> apart(int count) {
    return packed
        ? IntStream.range(0, count).mapToObj(level -> names.get(0) + ".level." + level).toList()
        : names;
  }

  /** Takes the levels apart, each an output of its own. */
  void split(GraphProto.Builder out, GraphNodes nodes, int count, int type) {
    List<String> levelNames = apart(count);
    for (int level = 0; packed && level < count; level++) {
      nodes.gather(names.get(0), nodes.scalar((long) level), 0, levelNames.get(level));
      out.addOutput(GraphNodes.shapeless(levelNames.get(level), type));
    }
  }
}

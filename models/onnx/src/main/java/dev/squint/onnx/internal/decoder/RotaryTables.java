package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.onnx.internal.graph.GraphNodes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives positions to a {@code GroupQueryAttention} that rotates by itself. Inside, the tokens take
 * the rows of its tables of cosines and sines one after the other, from the length of the KV cache
 * on; so the tables are laid out anew, that these rows are those of the positions given. One layout
 * serves all layers, and nothing is computed per layer that the whole model does not compute.
 */
final class RotaryTables {

  private static final int TOTAL = 6;

  private final GraphNodes nodes;
  private final String positions;
  private final Map<String, Rows> rowsByTotal = new HashMap<>();
  private final Map<List<String>, String> laidOut = new HashMap<>();

  /**
   * Tables of a graph.
   *
   * @param nodes where they are laid out
   * @param positions tensor of the positions, int64 {@code [1, tokens]}
   */
  RotaryTables(GraphNodes nodes, String positions) {
    this.nodes = nodes;
    this.positions = positions;
  }

  /**
   * Rows of a table.
   *
   * @param cached how many come before those of the positions
   * @param given the positions, in one dimension
   */
  private record Rows(String cached, String given) {}

  /** The attention with tables of the positions given; to be added behind them. */
  NodeProto turned(NodeProto attention) {
    String total = attention.getInput(TOTAL);
    NodeProto.Builder turned = attention.toBuilder();
    for (int table = FusedRotary.COS; table <= FusedRotary.COS + 1; table++) {
      String all = attention.getInput(table);
      turned.setInput(
          table, laidOut.computeIfAbsent(List.of(all, total), key -> laidOut(all, total)));
    }
    if (turned.getInputCount() > FusedRotary.POSITIONS) {
      turned.setInput(FusedRotary.POSITIONS, "");
    }
    return turned.build();
  }

  /** Any rows for what is cached, then those of the positions. */
  private String laidOut(String table, String total) {
    Rows rows = rowsByTotal.computeIfAbsent(total, this::rows);
    String before = nodes.op("Slice", table, nodes.constant(0), rows.cached(), nodes.constant(0));
    return nodes.concat(0, before, nodes.gather(table, rows.given(), 0));
  }

  private Rows rows(String total) {
    String given = nodes.reshape(positions, -1);
    String attended = nodes.fresh();
    nodes.cast(nodes.reshape(total, 1), GraphNodes.INT64, attended);
    return new Rows(nodes.op("Sub", attended, nodes.op("Shape", given)), given);
  }
}

package dev.squint.models.graph;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Appends the nodes of the taps to a segment.
 *
 * @param nodes where to
 * @param turnedQueries for attention whose rotation was moved out of it, by node: its queries
 */
record TapWriter(GraphNodes nodes, Map<Integer, String> turnedQueries) {

  void attention(Tap.Attention tap, AttentionSite site) {
    String rows = probabilities(site, SegmentModel.TAP_ROWS);
    if (tap.perHead()) {
      nodes.gather(rows, SegmentModel.TAP_COLUMNS, 3, tap.output());
    } else {
      nodes.mean(nodes.gather(rows, SegmentModel.TAP_COLUMNS, 3), tap.output(), 1);
    }
  }

  /** The attention of a layer's new tokens to all that are cached. */
  void toCache(int layer, AttentionSite site, boolean perHead) {
    String rows = probabilities(site, CacheNames.ROWS);
    String name = CacheNames.attention(layer);
    if (perHead) {
      nodes.mean(rows, name, 2);
    } else {
      nodes.mean(rows, name, 1, 2);
    }
  }

  private String probabilities(AttentionSite site, String rows) {
    AttentionSite turned = site;
    String queries = turnedQueries.get(site.node());
    if (queries != null && site instanceof FusedAttention fused) {
      int heads = ((HeadVectors.PerToken) fused.queries()).heads();
      turned = fused.withQueries(new HeadVectors.PerToken(queries, heads, heads));
    }
    return turned.probabilities(nodes, rows);
  }

  void hiddenStates(Tap.HiddenStates tap, String states, Optional<FinalNorm> norm) {
    String chosen = nodes.gather(states, chosen(tap.text()), 1);
    String seen = norm.map(last -> last.append(nodes, chosen)).orElse(chosen);
    nodes.cast(seen, GraphNodes.FLOAT, tap.output());
  }

  void keys(Tap.Keys tap, String cache) {
    String chosen = nodes.gather(cache, chosen(tap.text()), 2);
    nodes.cast(nodes.transpose(chosen, 0, 2, 1, 3), GraphNodes.FLOAT, tap.output());
  }

  private static String chosen(boolean text) {
    return text ? SegmentModel.TAP_TEXT : SegmentModel.TAP_COLUMNS;
  }

  /** Neurons as active as the least of a token's share count as its own, ties with it too. */
  void coreNeurons(Tap.CoreNeurons tap, String activations) {
    String active = nodes.floats(activations);
    String count = nodes.floats(nodes.size(active, 2));
    String least = nodes.slice(highest(active, share(count, tap.rho()), 0), -1, Long.MAX_VALUE, 2);
    String among = nodes.op("Not", nodes.op("Less", active, least));
    String positive = nodes.op("Greater", active, nodes.scalar(0f));
    String core = nodes.floats(nodes.op("And", among, positive));
    String perNeuron = nodes.fresh();
    nodes.mean(core, perNeuron, 0, 1);
    String sentence = highest(perNeuron, share(count, tap.beta()), 1);
    String shared = nodes.fresh();
    nodes.mean(nodes.gather(core, sentence, 2), shared, 2);
    String neurons = nodes.floats(nodes.size(sentence, 0));
    String counts = nodes.op("Round", nodes.op("Mul", shared, neurons));
    nodes.gather(counts, SegmentModel.TAP_COLUMNS, 1, tap.output());
  }

  /** {@code max(1, rint(count * share))}, int64 {@code [1]}. */
  private String share(String count, double share) {
    String part = nodes.op("Round", nodes.op("Mul", count, nodes.scalar((float) share)));
    String whole = nodes.fresh();
    nodes.cast(nodes.op("Max", part, nodes.scalar(1f)), GraphNodes.INT64, whole);
    return nodes.reshape(whole, 1);
  }

  /** The highest values along the last axis (output 0) or their indices (output 1), falling. */
  private String highest(String values, String count, int output) {
    List<String> names = List.of(nodes.fresh(), nodes.fresh());
    nodes.add(
        GraphNodes.node("TopK", List.of(values, count), names.get(0))
            .addOutput(names.get(1))
            .addAttribute(GraphNodes.integer("axis", -1)));
    return names.get(output);
  }
}

package dev.squint.models.graph;

import java.util.Map;

/**
 * Appends the nodes of the taps to a segment.
 *
 * @param nodes where to
 * @param turnedQueries for attention whose rotation was moved out of it, by node: its queries
 */
record TapWriter(GraphNodes nodes, Map<Integer, String> turnedQueries) {

  void attention(Tap.Attention tap, AttentionSite site) {
    AttentionSite turned = site;
    String queries = turnedQueries.get(site.node());
    if (queries != null && site instanceof FusedAttention fused) {
      int heads = ((HeadVectors.PerToken) fused.queries()).heads();
      turned = fused.withQueries(new HeadVectors.PerToken(queries, heads, heads));
    }
    String rows = turned.probabilities(nodes, SegmentModel.TAP_ROWS);
    if (tap.perHead()) {
      nodes.gather(rows, SegmentModel.TAP_COLUMNS, 3, tap.output());
    } else {
      nodes.mean(nodes.gather(rows, SegmentModel.TAP_COLUMNS, 3), tap.output(), 1);
    }
  }

  void hiddenStates(Tap tap, String states) {
    String chosen = nodes.gather(states, SegmentModel.TAP_COLUMNS, 1);
    nodes.cast(chosen, GraphNodes.FLOAT, tap.output());
  }

  void keys(Tap tap, String cache) {
    String chosen = nodes.gather(cache, SegmentModel.TAP_COLUMNS, 2);
    nodes.cast(nodes.transpose(chosen, 0, 2, 1, 3), GraphNodes.FLOAT, tap.output());
  }
}

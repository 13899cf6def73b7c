package dev.squint.models.graph;

import java.util.List;

/**
 * A range of decoder layers to be cut out.
 *
 * @param from first layer
 * @param to layer after the last one; equal to the number of layers for the segment that ends in
 *     the logits
 * @param seam what stands at its head
 * @param givenPositions whether the rotary positions of the tokens come from outside; if not, a
 *     graph without an input for them counts them from its KV cache
 * @param taps what is handed out besides
 * @param probe whether it computes the attention that is tapped and nothing else, on an empty cache
 * @param cache how the KV cache comes in and goes out
 */
public record SegmentSpec(
    int from,
    int to,
    Seam seam,
    boolean givenPositions,
    List<Tap> taps,
    boolean probe,
    CacheForm cache) {

  /** Checks the range and drops repeated taps. */
  public SegmentSpec {
    if (from < 0 || to <= from) {
      throw new IllegalArgumentException(
          "a segment needs at least one layer, got [%d, %d)".formatted(from, to));
    }
    taps = taps.stream().distinct().toList();
    for (Tap tap : taps) {
      int end = tap instanceof Tap.HiddenStates ? to + 1 : to;
      if (tap.layer() < from || tap.layer() >= end) {
        throw new IllegalArgumentException(
            "%s lies outside layers [%d, %d)".formatted(tap, from, to));
      }
    }
  }

  /**
   * The input that carries a value of every token, such as its position, for all tokens that arrive
   * at this segment; behind a seam only those kept have it.
   *
   * @param name the input of the whole decoder
   */
  public String arriving(String name) {
    return seam == Seam.NONE ? name : name + ".all";
  }

  /**
   * A range that runs.
   *
   * @param from first layer
   * @param to layer after the last one
   * @param seam what stands at its head
   * @param givenPositions whether the rotary positions of the tokens come from outside
   * @param taps what is handed out besides
   */
  public SegmentSpec(int from, int to, Seam seam, boolean givenPositions, List<Tap> taps) {
    this(from, to, seam, givenPositions, taps, false, new CacheForm.Whole());
  }

  /**
   * The attention of a layer ahead of it.
   *
   * @param attention what is computed
   * @param givenPositions whether the rotary positions of the tokens come from outside
   */
  public static SegmentSpec probe(List<Tap.Attention> attention, boolean givenPositions) {
    int layer = attention.get(0).layer();
    return new SegmentSpec(
        layer,
        layer + 1,
        Seam.NONE,
        givenPositions,
        List.copyOf(attention),
        true,
        new CacheForm.Whole());
  }

  /** The same with another form of KV cache. */
  public SegmentSpec with(CacheForm form) {
    return new SegmentSpec(from, to, seam, givenPositions, taps, probe, form);
  }

  /** A range without seam and taps. */
  public static SegmentSpec of(int from, int to) {
    return new SegmentSpec(from, to, Seam.NONE, false, List.of());
  }
}

package dev.squint.onnx.internal.decoder;

import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Place;
import java.util.List;

/**
 * A range of decoder layers to be extracted.
 *
 * @param from first layer
 * @param to layer after the last one; equal to the number of layers for the segment that ends in
 *     the logits
 * @param seam what stands at its head
 * @param givenPositions whether the rotary positions of the tokens come from outside; if not, a
 *     graph without an input for them counts them from its KV cache
 * @param taps what is observed
 * @param lookahead whether it computes what is tapped and nothing else, on an empty cache
 * @param cache how the KV cache comes in and goes out
 */
public record SegmentSpec(
    int from,
    int to,
    Seam seam,
    boolean givenPositions,
    List<Expression> taps,
    boolean lookahead,
    KvCacheLayout cache) {

  /** Checks the range and drops repeated taps. */
  public SegmentSpec {
    if (from < 0 || to <= from) {
      throw new IllegalArgumentException(
          "a segment needs at least one layer, got [%d, %d)".formatted(from, to));
    }
    taps = taps.stream().map(Expression::unnamed).distinct().toList();
    for (Expression tap : taps) {
      for (Leaf leaf : tap.leaves().toList()) {
        if (!runs(leaf, from, to)) {
          throw new IllegalArgumentException(
              "%s lies outside layers [%d, %d)".formatted(leaf, from, to));
        }
      }
    }
  }

  /**
   * Whether a range of layers computes a tensor: one of its layers, or the hidden states that leave
   * the last of them.
   */
  public static boolean runs(Leaf leaf, int from, int to) {
    boolean states = leaf.tensor() == Leaf.Tensor.HIDDEN || leaf.tensor() == Leaf.Tensor.NORMED;
    int layer = leaf.place().layer();
    return leaf.place().kind() == Place.Kind.DECODER
        && layer >= from
        && layer < (states ? to + 1 : to);
  }

  /**
   * The input that carries a value of every token, such as its position, for all tokens that arrive
   * at this segment; after a seam only those kept have it.
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
   * @param taps what is observed
   */
  public SegmentSpec(int from, int to, Seam seam, boolean givenPositions, List<Expression> taps) {
    this(from, to, seam, givenPositions, taps, false, new KvCacheLayout.Whole());
  }

  /**
   * What a layer computes, ahead of it.
   *
   * @param layer the layer
   * @param taps what is computed of it
   * @param givenPositions whether the rotary positions of the tokens come from outside
   */
  public static SegmentSpec lookahead(int layer, List<Expression> taps, boolean givenPositions) {
    return new SegmentSpec(
        layer, layer + 1, Seam.NONE, givenPositions, taps, true, new KvCacheLayout.Whole());
  }

  /** The same with another form of KV cache. */
  public SegmentSpec with(KvCacheLayout form) {
    return new SegmentSpec(from, to, seam, givenPositions, taps, lookahead, form);
  }

  /** The same with a choice at its head of which of the arriving tokens run. */
  SegmentSpec gathering() {
    return seam == Seam.NONE
        ? new SegmentSpec(from, to, Seam.GATHER, givenPositions, taps, lookahead, cache)
        : this;
  }

  /** The same range for the tokens after a prompt, which go on as they are. */
  public SegmentSpec forSteps() {
    return new SegmentSpec(from, to, Seam.NONE, givenPositions, List.of(), lookahead, cache);
  }

  /** A range without seam and taps. */
  public static SegmentSpec of(int from, int to) {
    return new SegmentSpec(from, to, Seam.NONE, false, List.of());
  }
}

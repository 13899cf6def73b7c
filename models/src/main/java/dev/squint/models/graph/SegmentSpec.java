package dev.squint.models.graph;

import java.util.List;
import java.util.TreeSet;

/**
 * A range of decoder layers to be cut out.
 *
 * @param from first layer
 * @param to layer after the last one; equal to the number of layers for the segment that ends in
 *     the logits
 * @param seam whether the segment begins with a seam, an input {@code keep} that says which tokens
 *     go on
 * @param taps layers in the range whose attention is handed out, ascending
 */
public record SegmentSpec(int from, int to, boolean seam, List<Integer> taps) {

  /** Checks the range and sorts the taps. */
  public SegmentSpec {
    if (from < 0 || to <= from) {
      throw new IllegalArgumentException(
          "a segment needs at least one layer, got [%d, %d)".formatted(from, to));
    }
    taps = List.copyOf(new TreeSet<>(taps));
    for (int tap : taps) {
      if (tap < from || tap >= to) {
        throw new IllegalArgumentException(
            "tap at layer %d lies outside layers [%d, %d)".formatted(tap, from, to));
      }
    }
  }
}

package dev.squint.onnx.split;

import dev.squint.pruning.observe.Expression;
import java.util.List;
import java.util.Set;

/** How a decoder is split. Immutable; made by a builder, so that further options break nobody. */
public final class SplitOptions {

  private final Set<Integer> splits;
  private final List<Expression> taps;
  private final boolean givenPositions;
  private final boolean copyWeights;
  private final boolean replace;

  private SplitOptions(Builder builder) {
    splits = builder.splits;
    taps = builder.taps;
    givenPositions = builder.givenPositions;
    copyWeights = builder.copyWeights;
    replace = builder.replace;
  }

  /**
   * Starts from a split that observes nothing, links weights and replaces no folder.
   *
   * @param splits layers before which the decoder is split; at each begins a segment with a seam
   */
  public static Builder at(Set<Integer> splits) {
    return new Builder(splits);
  }

  /** Layers before which the decoder is split. */
  public Set<Integer> splits() {
    return splits;
  }

  /** What is observed. */
  public List<Expression> taps() {
    return taps;
  }

  /** Whether segments after a split take rotary positions from outside in any case. */
  public boolean givenPositions() {
    return givenPositions;
  }

  /** Whether weights are copied. */
  public boolean copyWeights() {
    return copyWeights;
  }

  /** Whether a folder that a split has written is replaced. */
  public boolean replace() {
    return replace;
  }

  @Override
  public String toString() {
    return "split before layers %s%s%s%s%s"
        .formatted(
            splits,
            taps.isEmpty() ? "" : ", taps " + taps,
            givenPositions ? ", given positions" : "",
            copyWeights ? ", weights copied" : "",
            replace ? ", replacing" : "");
  }

  /** Collects the options. */
  public static final class Builder {

    private final Set<Integer> splits;
    private List<Expression> taps = List.of();
    private boolean givenPositions;
    private boolean copyWeights;
    private boolean replace;

    private Builder(Set<Integer> splits) {
      this.splits = Set.copyOf(splits);
    }

    /** Sets what is observed, each in the segment that runs its layers. */
    public Builder taps(List<Expression> observed) {
      taps = List.copyOf(observed);
      return this;
    }

    /**
     * Sets whether segments after a split take rotary positions from outside even if the file
     * counts them by itself.
     */
    public Builder givenPositions(boolean given) {
      givenPositions = given;
      return this;
    }

    /** Sets whether weights are copied; else the files that hold them are hard-linked. */
    public Builder copyWeights(boolean copy) {
      copyWeights = copy;
      return this;
    }

    /** Sets whether a folder that a split has written is replaced. */
    public Builder replace(boolean replaces) {
      replace = replaces;
      return this;
    }

    /** Makes the options. */
    public SplitOptions build() {
      return new SplitOptions(this);
    }
  }
}

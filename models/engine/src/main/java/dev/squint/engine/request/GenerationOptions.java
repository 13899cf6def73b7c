package dev.squint.engine.request;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.util.Objects;

/**
 * How one request is answered. Immutable; made by a builder, so that further options break nobody:
 *
 * <pre>{@code
 * GenerationOptions options = GenerationOptions.builder().maxNewTokens(32).seed(7).build();
 * }</pre>
 */
public final class GenerationOptions {

  private static final GenerationOptions DEFAULTS = builder().build();

  private final int maxNewTokens;
  private final SamplingOptions sampling;
  private final long seed;
  private final boolean measureSpeedup;
  private final boolean keepFirstLogits;

  private GenerationOptions(Builder builder) {
    maxNewTokens = builder.maxNewTokens;
    sampling = builder.sampling;
    seed = builder.seed;
    measureSpeedup = builder.measureSpeedup;
    keepFirstLogits = builder.keepFirstLogits;
  }

  /**
   * At most 96 tokens, drawn as the model has it, seed 0, nothing measured twice, no logits kept.
   */
  public static GenerationOptions defaults() {
    return DEFAULTS;
  }

  /** Starts from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Starts from these options. */
  public Builder toBuilder() {
    return new Builder()
        .maxNewTokens(maxNewTokens)
        .sampling(sampling)
        .seed(seed)
        .measureSpeedup(measureSpeedup)
        .keepFirstLogits(keepFirstLogits);
  }

  /** The answer ends after this many tokens at the latest. */
  public int maxNewTokens() {
    return maxNewTokens;
  }

  /** How the next token is drawn. */
  public SamplingOptions sampling() {
    return sampling;
  }

  /** What strategies that draw at random start from. */
  public long seed() {
    return seed;
  }

  /** Whether the request is also run unpruned, so that the trace holds the measured speedup. */
  public boolean measureSpeedup() {
    return measureSpeedup;
  }

  /** Whether the scores of the first generated token are returned. */
  public boolean keepFirstLogits() {
    return keepFirstLogits;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GenerationOptions that
        && maxNewTokens == that.maxNewTokens
        && sampling.equals(that.sampling)
        && seed == that.seed
        && measureSpeedup == that.measureSpeedup
        && keepFirstLogits == that.keepFirstLogits;
  }

  @Override
  public int hashCode() {
    return Objects.hash(maxNewTokens, sampling, seed, measureSpeedup, keepFirstLogits);
  }

  @Override
  public String toString() {
    return "GenerationOptions[maxNewTokens=%d, sampling=%s, seed=%d, measureSpeedup=%b, keepFirstLogits=%b]"
        .formatted(maxNewTokens, sampling, seed, measureSpeedup, keepFirstLogits);
  }

  /** Collects the options. */
  public static final class Builder {

    private int maxNewTokens = 96;
    private SamplingOptions sampling = SamplingOptions.ofModel();
    private long seed;
    private boolean measureSpeedup;
    private boolean keepFirstLogits;

    private Builder() {}

    /**
     * Sets where the answer ends at the latest.
     *
     * @param tokens 1 or more; 96 unless set
     */
    public Builder maxNewTokens(int tokens) {
      maxNewTokens = tokens;
      return this;
    }

    /**
     * Sets how the next token is drawn.
     *
     * @param how as the model has it unless set
     */
    public Builder sampling(SamplingOptions how) {
      sampling = Objects.requireNonNull(how, "sampling");
      return this;
    }

    /**
     * Sets what strategies that draw at random start from.
     *
     * @param start any number; 0 unless set
     */
    public Builder seed(long start) {
      seed = start;
      return this;
    }

    /**
     * Sets whether the unpruned model is run too, in turns with the pruned one, to compare times;
     * this costs several runs.
     *
     * @param measure false unless set
     */
    public Builder measureSpeedup(boolean measure) {
      measureSpeedup = measure;
      return this;
    }

    /**
     * Sets whether the scores of the first generated token are returned.
     *
     * @param keep false unless set
     */
    public Builder keepFirstLogits(boolean keep) {
      keepFirstLogits = keep;
      return this;
    }

    /**
     * Makes the options.
     *
     * @throws ModelException if no token is allowed for the answer
     */
    public GenerationOptions build() {
      if (maxNewTokens < 1) {
        throw new ModelException(
            Kind.BAD_REQUEST,
            "max new tokens is " + maxNewTokens + "; allow at least one token for the answer");
      }
      return new GenerationOptions(this);
    }
  }
}

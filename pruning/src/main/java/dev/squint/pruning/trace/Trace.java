package dev.squint.pruning.trace;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What happened in a request, pruned run next to what the unpruned run costs. Made by a {@linkplain
 * #of builder}, so that further components break nobody.
 *
 * @param strategy canonical spec of the strategy
 * @param model name of the model
 * @param promptTokens tokens of the unpruned prompt
 * @param visualTokens visual tokens among them
 * @param reusedTokens tokens of the prompt that an earlier request has run; pruned ones counted
 * @param sites one entry per site, in order
 * @param tokensPerLayer tokens that each decoder layer saw at prefill, reused ones among them;
 *     copied in and out
 * @param visionFlops vision tower and projector as run
 * @param prefillFlops prefill as run
 * @param unprunedPrefillFlops prefill without pruning
 * @param decodeFlops all decode steps as run
 * @param unprunedDecodeFlops the same steps without pruning
 * @param timings where the time went
 * @param kvBytes KV cache after the last step, all layers
 * @param unprunedKvBytes the same without pruning
 * @param speedup measured against an unpruned run, if that was asked for
 * @param notes what a reader should know besides, one sentence each
 */
public record Trace(
    String strategy,
    String model,
    int promptTokens,
    int visualTokens,
    int reusedTokens,
    List<SiteTrace> sites,
    int[] tokensPerLayer,
    long visionFlops,
    long prefillFlops,
    long unprunedPrefillFlops,
    long decodeFlops,
    long unprunedDecodeFlops,
    Timings timings,
    long kvBytes,
    long unprunedKvBytes,
    Optional<Speedup> speedup,
    List<String> notes) {

  public Trace {
    Objects.requireNonNull(strategy, "strategy");
    Objects.requireNonNull(model, "model");
    sites = List.copyOf(sites);
    tokensPerLayer = tokensPerLayer.clone();
    Objects.requireNonNull(timings, "timings");
    Objects.requireNonNull(speedup, "speedup");
    notes = List.copyOf(notes);
  }

  @Override
  public int[] tokensPerLayer() {
    return tokensPerLayer.clone();
  }

  /**
   * Visual tokens that ran through each decoder layer at prefill, merged ones included.
   *
   * @return a new array
   */
  public double[] visualPerLayer() {
    int text = promptTokens - visualTokens;
    return Arrays.stream(tokensPerLayer).mapToDouble(tokens -> tokens - text).toArray();
  }

  /**
   * The budget that papers compare methods by.
   *
   * @return visual tokens averaged over the decoder layers, as they ran
   */
  public double averageVisualTokens() {
    return Arrays.stream(visualPerLayer()).average().orElse(0);
  }

  /**
   * The prefill speedup that FLOPs predict.
   *
   * @return unpruned over pruned prefill FLOPs, 1 where nothing is saved
   */
  public double predictedPrefillSpeedup() {
    return prefillFlops == 0 ? 1 : (double) unprunedPrefillFlops / prefillFlops;
  }

  /**
   * The decode speedup that FLOPs predict.
   *
   * @return unpruned over pruned FLOPs of all decode steps; empty if there was no step, since the
   *     answer ended with its first token
   */
  public OptionalDouble predictedDecodeSpeedup() {
    return decodeFlops == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of((double) unprunedDecodeFlops / decodeFlops);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Trace that
        && strategy.equals(that.strategy)
        && model.equals(that.model)
        && promptTokens == that.promptTokens
        && visualTokens == that.visualTokens
        && reusedTokens == that.reusedTokens
        && sites.equals(that.sites)
        && Arrays.equals(tokensPerLayer, that.tokensPerLayer)
        && visionFlops == that.visionFlops
        && prefillFlops == that.prefillFlops
        && unprunedPrefillFlops == that.unprunedPrefillFlops
        && decodeFlops == that.decodeFlops
        && unprunedDecodeFlops == that.unprunedDecodeFlops
        && timings.equals(that.timings)
        && kvBytes == that.kvBytes
        && unprunedKvBytes == that.unprunedKvBytes
        && speedup.equals(that.speedup)
        && notes.equals(that.notes);
  }

  @Override
  public int hashCode() {
    return Objects.hash(strategy, model, sites, Arrays.hashCode(tokensPerLayer), timings, notes);
  }

  /**
   * Starts a trace in which nothing happened.
   *
   * @param strategy canonical spec of the strategy
   * @param model name of the model
   */
  public static Builder of(String strategy, String model) {
    return new Builder(strategy, model);
  }

  /** Collects what happened. */
  public static final class Builder {

    private final String strategy;
    private final String model;
    private int promptTokens;
    private int visualTokens;
    private int reusedTokens;
    private List<SiteTrace> sites = List.of();
    private int[] tokensPerLayer = {};
    private long visionFlops;
    private long[] prefillFlops = {0, 0};
    private long[] decodeFlops = {0, 0};
    private long[] kvBytes = {0, 0};
    private Timings timings = new Timings(0, 0, 0, 0, 0, 0, 0);
    private Optional<Speedup> speedup = Optional.empty();
    private List<String> notes = List.of();

    private Builder(String strategy, String model) {
      this.strategy = strategy;
      this.model = model;
    }

    /** Sets the tokens of the unpruned prompt, and how many of them are visual. */
    public Builder prompt(int tokens, int visual) {
      promptTokens = tokens;
      visualTokens = visual;
      return this;
    }

    /** Sets how many tokens of the prompt an earlier request has run. */
    public Builder reusedTokens(int tokens) {
      reusedTokens = tokens;
      return this;
    }

    /** Sets what happened at the sites, in order. */
    public Builder sites(List<SiteTrace> inOrder) {
      sites = inOrder;
      return this;
    }

    /** Sets the tokens that ran through each decoder layer at prefill. */
    public Builder tokensPerLayer(int... tokens) {
      tokensPerLayer = tokens;
      return this;
    }

    /** Sets the FLOPs of vision tower and projector as run. */
    public Builder visionFlops(long run) {
      visionFlops = run;
      return this;
    }

    /** Sets the FLOPs of prefill as run and without pruning. */
    public Builder prefillFlops(long run, long unpruned) {
      prefillFlops = new long[] {run, unpruned};
      return this;
    }

    /** Sets the FLOPs of all decode steps as run and without pruning. */
    public Builder decodeFlops(long run, long unpruned) {
      decodeFlops = new long[] {run, unpruned};
      return this;
    }

    /** Sets the bytes of the KV cache after the last step, as run and without pruning. */
    public Builder kvBytes(long run, long unpruned) {
      kvBytes = new long[] {run, unpruned};
      return this;
    }

    /** Sets where the time went. */
    public Builder timings(Timings spent) {
      timings = spent;
      return this;
    }

    /** Sets the speedup, if it was measured. */
    public Builder speedup(Optional<Speedup> measured) {
      speedup = measured;
      return this;
    }

    /** Sets what a reader should know besides. */
    public Builder notes(List<String> sentences) {
      notes = sentences;
      return this;
    }

    /** Makes the trace. */
    public Trace build() {
      return new Trace(
          strategy,
          model,
          promptTokens,
          visualTokens,
          reusedTokens,
          sites,
          tokensPerLayer,
          visionFlops,
          prefillFlops[0],
          prefillFlops[1],
          decodeFlops[0],
          decodeFlops[1],
          timings,
          kvBytes[0],
          kvBytes[1],
          speedup,
          notes);
    }
  }
}

package dev.squint.pruning.trace;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What happened in a request, pruned run next to what the unpruned run costs.
 *
 * @param strategy canonical spec of the strategy
 * @param model name of the model
 * @param promptTokens tokens of the unpruned prompt
 * @param visualTokens visual tokens among them
 * @param sites one entry per site, in order
 * @param tokensPerLayer tokens that ran through each decoder layer at prefill; copied in and out
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
    return (double) unprunedPrefillFlops / prefillFlops;
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
}

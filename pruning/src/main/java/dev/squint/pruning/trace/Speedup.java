package dev.squint.pruning.trace;

/**
 * How much faster a pruned run was than the unpruned one, as factors: 2 means half the time.
 *
 * @param prefillMeasured unpruned over pruned prefill time
 * @param prefillPredicted unpruned over pruned prefill FLOPs
 * @param decodeMeasured unpruned over pruned decode time per token
 * @param decodePredicted unpruned over pruned decode FLOPs
 */
public record Speedup(
    double prefillMeasured,
    double prefillPredicted,
    double decodeMeasured,
    double decodePredicted) {

  /**
   * The share of the predicted prefill speedup that was seen.
   *
   * @return 1 when FLOPs tell the whole story
   */
  public double prefillMeasuredOverPredicted() {
    return prefillMeasured / prefillPredicted;
  }

  /**
   * The share of the predicted decode speedup that was seen.
   *
   * @return 1 when FLOPs tell the whole story
   */
  public double decodeMeasuredOverPredicted() {
    return decodeMeasured / decodePredicted;
  }
}

package dev.squint.evaluation.search;

import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.internal.AnswerException;
import dev.squint.evaluation.internal.AnswerSink;
import dev.squint.evaluation.internal.ModelOutput;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.evaluation.metrics.Metric;
import dev.squint.pruning.trace.Trace;
import java.util.BitSet;
import java.util.List;

/** Counts the right answers of one schedule. For one thread. */
final class Trial implements AnswerSink {

  private static final double RIGHT = 0.5;

  private final List<Sample> samples;
  private final Metric metric;
  private final int questions;
  private final int needed;
  private final BitSet answered = new BitSet();
  private int right;
  private long prefillFlops;
  private long unprunedPrefillFlops;

  /**
   * A trial.
   *
   * @param samples questions of the data set
   * @param metric scores answers
   * @param questions how many are asked
   * @param needed right answers that are enough
   */
  Trial(List<Sample> samples, Metric metric, int questions, int needed) {
    this.samples = samples;
    this.metric = metric;
    this.questions = questions;
    this.needed = needed;
  }

  @Override
  public boolean has(RunConfig config, int question) {
    return answered.get(question);
  }

  @Override
  public void answered(RunConfig config, int question, ModelOutput output) {
    Sample sample = samples.get(question);
    answered.set(question);
    right += metric.score(output.text(), sample.answers(), sample.choices()) >= RIGHT ? 1 : 0;
    Trace trace = output.trace().orElseThrow();
    prefillFlops += trace.prefillFlops();
    unprunedPrefillFlops += trace.unprunedPrefillFlops();
  }

  @Override
  public void failed(RunConfig config, int question, AnswerException reason) {
    throw reason;
  }

  int answered() {
    return answered.cardinality();
  }

  int right() {
    return right;
  }

  /** Whether enough answers are right, or no longer can be. */
  boolean isSettled() {
    return needed != Integer.MAX_VALUE
        && (right >= needed || right + questions - answered() < needed);
  }

  double prefillLeft() {
    return (double) prefillFlops / unprunedPrefillFlops;
  }
}

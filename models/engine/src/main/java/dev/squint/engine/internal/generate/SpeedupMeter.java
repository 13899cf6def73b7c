package dev.squint.engine.internal.generate;

import dev.squint.engine.internal.ort.RunControl;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.prune.PruningPlan;
import dev.squint.engine.internal.prune.SiteDecider;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.vision.VisionEncoder;
import dev.squint.engine.request.ModelInput;
import dev.squint.pruning.cost.FlopsModel;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.trace.Speedup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/**
 * Compares the pruned with the unpruned run of one request by the clock. The two run in turns, so
 * that a busy machine slows both; the first pair warms up, more of them where runs are so short
 * that Java has not compiled what they need by then, and the median of the others counts. There are
 * five of these, and more where five say little. Prefill is everything from token ids to the first
 * logits, with the strategy's decisions; vision is the same for both and left out. Decoding is
 * compared over the same number of steps.
 */
final class SpeedupMeter {

  private static final int PAIRS = 5;
  private static final int MAX_PAIRS = 25;
  private static final long ENOUGH_NANOS = 1_000_000_000L;
  private static final int MIN_STEPS = 4;
  private static final int MAX_STEPS = 16;

  private final Generator.Parts parts;
  private final RunControl control;

  SpeedupMeter(Generator.Parts parts, RunControl control) {
    this.parts = parts;
    this.control = control;
  }

  /**
   * What is run again and again.
   *
   * @param prompt the prompt
   * @param plan the pruned run
   * @param seen what the vision tower saw
   * @param decider decides in one run
   */
  record Subject(
      ModelInput prompt,
      PruningPlan plan,
      Optional<VisionEncoder.Encoded> seen,
      Supplier<SiteDecider> decider) {}

  Speedup measure(
      Subject subject,
      SplitDecoder pruned,
      SplitDecoder whole,
      long[] answer,
      int[] tokensPerLayer,
      long prefillFlops) {
    DecoderShape shape = parts.facts().decoder();
    int length = subject.prompt().layout().length();
    int room = parts.config().contextLength() - length;
    int steps = Math.min(room, Math.max(MIN_STEPS, Math.min(MAX_STEPS, answer.length)));
    long[] fed = new long[steps];
    for (int i = 0; i < steps; i++) {
      fed[i] =
          answer.length == 0 ? subject.prompt().tokenIds()[length - 1] : answer[i % answer.length];
    }
    PruningPlan unpruned = PruningPlan.unpruned(shape.layers());
    Supplier<Times> ofWhole = () -> run(subject, unpruned, whole, fed);
    Supplier<Times> ofPruned = () -> run(subject, subject.plan(), pruned, fed);
    inTurns(1, ofWhole, ofPruned);
    Pairs pairs = inTurns(PAIRS, ofWhole, ofPruned);
    int[] full = new int[shape.layers()];
    Arrays.fill(full, length);
    return new Speedup(
        pairs.prefillSpeedup(),
        (double) FlopsModel.prefill(shape, full) / prefillFlops,
        pairs.decodeSpeedup(),
        (double) decodeFlops(full, steps) / decodeFlops(tokensPerLayer, steps));
  }

  /** At least some pairs, and more as long as they are short. */
  private static Pairs inTurns(int least, Supplier<Times> unpruned, Supplier<Times> pruned) {
    Pairs pairs = new Pairs(new ArrayList<>(), new ArrayList<>());
    long start = System.nanoTime();
    while (pairs.pruned.size() < least
        || (pairs.pruned.size() < MAX_PAIRS && System.nanoTime() - start < ENOUGH_NANOS)) {
      pairs.unpruned.add(unpruned.get());
      pairs.pruned.add(pruned.get());
    }
    return pairs;
  }

  private long decodeFlops(int[] tokensPerLayer, int steps) {
    int[] keys = tokensPerLayer.clone();
    long flops = 0;
    for (int step = 0; step < steps; step++) {
      Arrays.setAll(keys, layer -> keys[layer] + 1);
      flops += FlopsModel.decodeStep(parts.facts().decoder(), keys);
    }
    return flops;
  }

  /**
   * What one run took.
   *
   * @param prefill nanoseconds from token ids to the first logits
   * @param decode nanoseconds of all decode steps
   */
  record Times(long prefill, long decode) {}

  /**
   * Runs made in turns.
   *
   * @param unpruned those without pruning
   * @param pruned those of the strategy
   */
  record Pairs(List<Times> unpruned, List<Times> pruned) {

    double prefillSpeedup() {
      return median(unpruned, Times::prefill) / median(pruned, Times::prefill);
    }

    double decodeSpeedup() {
      return median(unpruned, Times::decode) / median(pruned, Times::decode);
    }

    private static double median(List<Times> times, ToLongFunction<Times> nanos) {
      long[] sorted = times.stream().mapToLong(nanos).sorted().toArray();
      return sorted[sorted.length / 2];
    }
  }

  private Times run(Subject subject, PruningPlan plan, SplitDecoder open, long[] fed) {
    try (TensorScope scope = parts.sessions().scope().newScope(control);
        DecoderRun run = parts.run(plan, open)) {
      SiteDecider decider = subject.decider().get();
      run.wantScores(false);
      long start = System.nanoTime();
      run.prefill(scope, subject.prompt(), subject.seen(), decider);
      long prefilled = System.nanoTime();
      for (long token : fed) {
        run.extend(scope, token);
      }
      return new Times(prefilled - start, System.nanoTime() - prefilled);
    }
  }
}

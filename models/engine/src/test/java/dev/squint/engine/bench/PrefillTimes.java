package dev.squint.engine.bench;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.internal.ort.SharedWeights;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.strategies.baseline.None;
import dev.squint.pruning.strategies.decoder.FastV;
import dev.squint.pruning.trace.Trace;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Prefill against prefill. */
final class PrefillTimes {

  private static final GenerationOptions FIRST_TOKEN =
      GenerationOptions.builder().maxNewTokens(1).build();
  private static final int FIRST_PRUNED_LAYER = 2;

  private PrefillTimes() {}

  /** The decoder split in some way over the decoder in one segment. */
  static Map<String, ?> ofCuts(
      Path folder,
      DecoderSizes sizes,
      SegmentChain.Split split,
      int tokens,
      int pairs,
      int threads) {
    Path file = SyntheticModel.decoder(folder);
    try (SegmentChain whole = SegmentChain.open(file, sizes, SegmentChain.Split.WHOLE, threads);
        SegmentChain parts = SegmentChain.open(file, sizes, split, threads)) {
      return Pairs.measure(
              () -> whole.prefill(tokens).nanos(), () -> parts.prefill(tokens).nanos(), pairs)
          .report();
    }
  }

  /** One segment with matrices that it shares over one that has its own. */
  static Map<String, ?> ofSharedMatrices(
      Path folder, DecoderSizes sizes, int tokens, int pairs, int threads) {
    Path file = SyntheticModel.decoder(folder);
    SharedWeights matrices = new SharedWeights();
    SegmentChain.Split whole = SegmentChain.Split.WHOLE;
    try (SegmentChain own = SegmentChain.open(file, sizes, whole, threads);
        SegmentChain first = SegmentChain.open(file, sizes, whole, threads, matrices);
        SegmentChain second = SegmentChain.open(file, sizes, whole, threads, matrices)) {
      first.prefill(tokens);
      return Pairs.measure(
              () -> own.prefill(tokens).nanos(), () -> second.prefill(tokens).nanos(), pairs)
          .report();
    }
  }

  /**
   * FastV over no pruning, through the library: with the tap, the decision and the embedding of the
   * prompt, without the vision tower.
   */
  static Map<String, ?> ofFastV(
      SyntheticModel model, int textTokens, double keep, int pairs, int threads) {
    ModelInput prompt = model.prompt(textTokens);
    ModelOptions options =
        ModelOptions.builder()
            .threads(threads)
            .cacheFolder(model.folder().resolve("cache"))
            .build();
    List<Trace> pruned = new ArrayList<>();
    try (VisionLanguageModel open = VisionLanguageModel.open(model.folder(), options)) {
      Strategy fastV = new FastV(FIRST_PRUNED_LAYER, keep);
      Pairs times =
          Pairs.measure(
              () -> prefill(open, prompt, new None()).timings().prefillNanos(),
              () -> {
                Trace trace = prefill(open, prompt, fastV);
                pruned.add(trace);
                return trace.timings().prefillNanos();
              },
              pairs);
      Map<String, Object> report = times.report();
      Trace last = pruned.get(pruned.size() - 1);
      double predicted = (double) last.unprunedPrefillFlops() / last.prefillFlops();
      double measured = Pairs.median(inverse(times.ratios()));
      report.put("predictedSpeedup", predicted);
      report.put("measuredSpeedup", measured);
      report.put("measuredOverPredicted", measured / predicted);
      report.put(
          "decidingShareOfPrefill",
          Pairs.median(
              pruned.stream()
                  .skip(Pairs.WARM_UPS)
                  .map(Trace::timings)
                  .mapToDouble(t -> (double) t.selectionNanos() / t.prefillNanos())
                  .toArray()));
      return report;
    }
  }

  private static double[] inverse(double[] ratios) {
    double[] inverse = new double[ratios.length];
    for (int i = 0; i < ratios.length; i++) {
      inverse[i] = 1 / ratios[i];
    }
    return inverse;
  }

  private static Trace prefill(VisionLanguageModel model, ModelInput prompt, Strategy strategy) {
    return model.generate(prompt, strategy, FIRST_TOKEN).trace();
  }
}

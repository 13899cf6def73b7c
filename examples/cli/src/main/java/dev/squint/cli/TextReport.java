package dev.squint.cli;

import dev.squint.ChatResponse;
import dev.squint.pruning.cost.FlopsFormula;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Speedup;
import dev.squint.pruning.trace.Timings;
import dev.squint.pruning.trace.Trace;
import java.util.Locale;
import java.util.Optional;

/** A short table of how an answer ended, and what was pruned and saved. */
final class TextReport {

  /** What a request waits for room is told from here on. */
  private static final long NOTED_NANOS = 100_000;

  private final Rows rows = new Rows();

  private TextReport() {}

  static String of(ChatResponse answer, DecoderShape decoder, Optional<FlopsFormula> formula) {
    TextReport report = new TextReport();
    report.table(answer.trace());
    report.ended(answer);
    formula.ifPresent(
        paper ->
            report.rows.add(
                "paper FLOPs",
                "%.1f %% of unpruned by the formula of %s",
                100 * paper.left(decoder, answer.trace()),
                paper));
    return report.rows.toString();
  }

  private void ended(ChatResponse answer) {
    String how =
        switch (answer.finish()) {
          case STOP -> "";
          case LENGTH ->
              "after %d tokens, as many as were allowed".formatted(answer.usage().generated());
          case STOP_STRING -> "before a stop string";
          case CANCELLED -> "as it was cancelled";
          case DEADLINE -> "as its time was over";
        };
    if (!how.isEmpty()) {
      rows.add("ended", "%s", how);
    }
  }

  private void table(Trace trace) {
    rows.add("strategy", "%s on %s", trace.strategy(), trace.model());
    rows.add("prompt", "%d tokens, %d of them visual", trace.promptTokens(), trace.visualTokens());
    for (SiteTrace site : trace.sites()) {
      int added = site.addedOriginal().length;
      rows.add(
          "visual tokens",
          "%d -> %d at %s%s",
          site.before(),
          site.after(),
          site.site(),
          added == 0 ? "" : ", %d of them merged from dropped ones".formatted(added));
      if (!site.observed().isEmpty()) {
        rows.add("scored by", "%s", String.join(", ", site.observed()));
      }
    }
    if (!trace.sites().isEmpty()) {
      rows.add("average", "%.1f visual tokens over the layers", trace.averageVisualTokens());
    }
    rows.add(
        "prefill FLOPs",
        "%s of %s unpruned, %s saved",
        flops(trace.prefillFlops()),
        flops(trace.unprunedPrefillFlops()),
        saved(trace.prefillFlops(), trace.unprunedPrefillFlops()));
    rows.add(
        "decode FLOPs",
        "%s of %s unpruned, %s saved",
        flops(trace.decodeFlops()),
        flops(trace.unprunedDecodeFlops()),
        saved(trace.decodeFlops(), trace.unprunedDecodeFlops()));
    boolean fewerProjected =
        trace.sites().stream().anyMatch(site -> site.site() instanceof Site.BeforeProjector);
    rows.add(
        "vision FLOPs",
        "%s, %s",
        flops(trace.visionFlops()),
        fewerProjected ? "with fewer tokens projected" : "the same either way");
    Timings timings = trace.timings();
    rows.add(
        "time",
        "%spreprocessing %s, vision %s, prefill %s (selection %s), decode %s for %d tokens",
        timings.queueNanos() < NOTED_NANOS
            ? ""
            : "waiting %s, ".formatted(millis(timings.queueNanos())),
        millis(timings.preprocessingNanos()),
        millis(timings.visionNanos()),
        millis(timings.prefillNanos()),
        millis(timings.selectionNanos()),
        millis(timings.decodeNanos()),
        timings.generatedTokens());
    rows.add(
        "KV cache",
        "%,d of %,d bytes unpruned, %s saved",
        trace.kvBytes(),
        trace.unprunedKvBytes(),
        saved(trace.kvBytes(), trace.unprunedKvBytes()));
    trace.speedup().ifPresentOrElse(this::measured, () -> predicted(trace));
    trace.notes().forEach(note -> rows.add("note", "%s", note));
  }

  private void measured(Speedup speedup) {
    rows.add(
        "prefill speedup",
        "%.2fx measured / %.2fx predicted by FLOPs = %.2f",
        speedup.prefillMeasured(),
        speedup.prefillPredicted(),
        speedup.prefillMeasuredOverPredicted());
    rows.add(
        "decode speedup",
        "%.2fx measured / %.2fx predicted by FLOPs = %.2f",
        speedup.decodeMeasured(),
        speedup.decodePredicted(),
        speedup.decodeMeasuredOverPredicted());
  }

  private void predicted(Trace trace) {
    rows.add(
        "prefill speedup",
        "%.2fx predicted by FLOPs%s",
        trace.predictedPrefillSpeedup(),
        trace.sites().isEmpty() ? "" : " (--measure compares with the clock)");
    trace
        .predictedDecodeSpeedup()
        .ifPresent(speedup -> rows.add("decode speedup", "%.2fx predicted by FLOPs", speedup));
  }

  private static String flops(long count) {
    if (count >= 1_000_000_000L) {
      return String.format(Locale.ROOT, "%.2f G", count / 1e9);
    }
    return String.format(Locale.ROOT, "%.1f M", count / 1e6);
  }

  private static String saved(long part, long whole) {
    return String.format(Locale.ROOT, "%.0f %%", whole == 0 ? 0 : 100.0 * (whole - part) / whole);
  }

  private static String millis(long nanos) {
    return String.format(Locale.ROOT, "%.1f ms", nanos / 1e6);
  }
}

package dev.squint.examples;

import dev.squint.adapters.Answer;
import dev.squint.pruning.SiteTrace;
import dev.squint.pruning.Timings;
import dev.squint.pruning.Trace;
import java.util.Locale;

/** The answer, and below it a short table of what was pruned and saved. */
final class TextReport {

  private final StringBuilder text = new StringBuilder();

  private TextReport() {}

  static String of(Answer answer) {
    TextReport report = new TextReport();
    report.text.append(answer.text()).append(System.lineSeparator()).append(System.lineSeparator());
    report.table(answer.trace());
    return report.text.toString();
  }

  private void table(Trace trace) {
    row("strategy", "%s on %s", trace.strategy(), trace.model());
    row("prompt", "%d tokens, %d of them visual", trace.promptTokens(), trace.visualTokens());
    for (SiteTrace site : trace.sites()) {
      row("visual tokens", "%d -> %d at %s", site.before(), site.after(), site.site());
      if (!site.observed().isEmpty()) {
        row("scored by", "%s", String.join(", ", site.observed()));
      }
    }
    row(
        "prefill FLOPs",
        "%s of %s unpruned, %s saved",
        flops(trace.prefillFlops()),
        flops(trace.unprunedPrefillFlops()),
        saved(trace.prefillFlops(), trace.unprunedPrefillFlops()));
    row(
        "decode FLOPs",
        "%s of %s unpruned, %s saved",
        flops(trace.decodeFlops()),
        flops(trace.unprunedDecodeFlops()),
        saved(trace.decodeFlops(), trace.unprunedDecodeFlops()));
    row("vision FLOPs", "%s, the same either way", flops(trace.visionFlops()));
    Timings timings = trace.timings();
    row(
        "time",
        "vision %s, prefill %s (selection %s), decode %s for %d tokens",
        millis(timings.visionNanos()),
        millis(timings.prefillNanos()),
        millis(timings.selectionNanos()),
        millis(timings.decodeNanos()),
        timings.generatedTokens());
    row(
        "KV cache",
        "%,d of %,d bytes unpruned, %s saved",
        trace.kvBytes(),
        trace.unprunedKvBytes(),
        saved(trace.kvBytes(), trace.unprunedKvBytes()));
    trace
        .speedup()
        .ifPresent(
            speedup -> {
              row(
                  "prefill speedup",
                  "%.2fx measured / %.2fx predicted by FLOPs = %.2f",
                  speedup.prefillMeasured(),
                  speedup.prefillPredicted(),
                  speedup.prefillMeasuredOverPredicted());
              row(
                  "decode speedup",
                  "%.2fx measured / %.2fx predicted by FLOPs = %.2f",
                  speedup.decodeMeasured(),
                  speedup.decodePredicted(),
                  speedup.decodeMeasuredOverPredicted());
            });
    trace.notes().forEach(note -> row("note", "%s", note));
  }

  private void row(String name, String format, Object... values) {
    text.append("%-16s".formatted(name))
        .append(String.format(Locale.ROOT, format, values))
        .append(System.lineSeparator());
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

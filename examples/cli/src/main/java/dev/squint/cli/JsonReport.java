package dev.squint.cli;

import dev.squint.ChatResponse;
import dev.squint.pruning.cost.FlopsFormula;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Timings;
import dev.squint.pruning.trace.Trace;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** One JSON object: the answer and everything in the trace. Times are nanoseconds, sizes bytes. */
final class JsonReport {

  private JsonReport() {}

  static String of(ChatResponse answer, String provider, DecoderShape decoder) {
    Trace trace = answer.trace();
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("answer", answer.text());
    root.put("finish", answer.finish().name().toLowerCase(Locale.ROOT));
    root.put("strategy", trace.strategy());
    root.put("model", trace.model());
    root.put("provider", provider);
    root.put("promptTokens", trace.promptTokens());
    root.put("visualTokens", trace.visualTokens());
    root.put("reusedTokens", trace.reusedTokens());
    root.put("sites", trace.sites().stream().map(JsonReport::site).toList());
    root.put("tokensPerLayer", trace.tokensPerLayer());
    root.put("averageVisualTokens", trace.averageVisualTokens());
    Map<String, Object> left = new LinkedHashMap<>();
    for (FlopsFormula formula : FlopsFormula.values()) {
      left.put(formula.name().toLowerCase(Locale.ROOT), formula.left(decoder, trace));
    }
    root.put("prefillFlopsLeft", left);
    root.put("visionFlops", trace.visionFlops());
    root.put("prefillFlops", trace.prefillFlops());
    root.put("unprunedPrefillFlops", trace.unprunedPrefillFlops());
    root.put("decodeFlops", trace.decodeFlops());
    root.put("unprunedDecodeFlops", trace.unprunedDecodeFlops());
    Timings timings = trace.timings();
    root.put("queueNanos", timings.queueNanos());
    root.put("preprocessingNanos", timings.preprocessingNanos());
    root.put("visionNanos", timings.visionNanos());
    root.put("prefillNanos", timings.prefillNanos());
    root.put("selectionNanos", timings.selectionNanos());
    root.put("decodeNanos", timings.decodeNanos());
    root.put("generatedTokens", timings.generatedTokens());
    root.put("kvBytes", trace.kvBytes());
    root.put("unprunedKvBytes", trace.unprunedKvBytes());
    root.put("prefillSpeedupPredicted", trace.predictedPrefillSpeedup());
    trace
        .predictedDecodeSpeedup()
        .ifPresent(speedup -> root.put("decodeSpeedupPredicted", speedup));
    trace
        .speedup()
        .ifPresent(
            speedup -> {
              root.put("prefillSpeedupMeasured", speedup.prefillMeasured());
              root.put("prefillMeasuredOverPredicted", speedup.prefillMeasuredOverPredicted());
              root.put("decodeSpeedupMeasured", speedup.decodeMeasured());
              root.put("decodeSpeedupPredicted", speedup.decodePredicted());
              root.put("decodeMeasuredOverPredicted", speedup.decodeMeasuredOverPredicted());
            });
    root.put("notes", trace.notes());
    return JsonLine.of(root);
  }

  private static Map<String, Object> site(SiteTrace site) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("site", site.site().toString());
    fields.put("observed", site.observed());
    fields.put("before", site.before());
    fields.put("after", site.after());
    fields.put("kept", site.keptOriginal());
    fields.put("added", site.addedOriginal());
    fields.put("scores", site.scores());
    fields.put("selectionNanos", site.selectionNanos());
    return fields;
  }
}

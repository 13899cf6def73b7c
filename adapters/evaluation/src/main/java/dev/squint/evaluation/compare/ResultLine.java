package dev.squint.evaluation.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.internal.ModelOutput;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.evaluation.metrics.Metric;
import dev.squint.pruning.cost.FlopsFormula;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Timings;
import dev.squint.pruning.trace.Trace;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Writes and reads the lines of {@code results.jsonl}: lmms-eval's field names for what it has
 * ({@code doc_id, input, target, resps, filtered_resps, doc_hash} and the metrics by name), our own
 * for the configuration and its costs. A line with {@code error} has no answer.
 *
 * @param metrics the metrics of the data set
 * @param decoder the decoder that runs; empty where that is not known
 */
record ResultLine(List<Metric> metrics, Optional<DecoderShape> decoder) {

  static final String CELL = "cell";
  static final String DOC = "doc_id";
  private static final String ERROR = "error";
  private static final String LAYERS = "tokens_per_layer";
  private static final double NANOS_PER_MILLI = 1e6;
  private static final ObjectMapper JSON = new ObjectMapper();

  private static ObjectNode start(RunConfig config, Sample sample, String hash) {
    ObjectNode line = JSON.createObjectNode();
    line.put(DOC, sample.id());
    line.put(CELL, config.id());
    line.put("doc_hash", hash);
    line.put("input", sample.question());
    ArrayNode target = line.putArray("target");
    sample.answers().forEach(target::add);
    if (!sample.type().isEmpty()) {
      line.put("type", sample.type());
    }
    return line;
  }

  ObjectNode failed(RunConfig config, Sample sample, String hash, String reason) {
    return start(config, sample, hash).put(ERROR, reason);
  }

  ObjectNode answered(RunConfig config, Sample sample, String hash, ModelOutput output) {
    ObjectNode line = start(config, sample, hash);
    line.putArray("resps").addArray().add(output.text());
    line.putArray("filtered_resps").add(metrics.get(0).filter(output.text(), sample.choices()));
    for (Metric metric : metrics) {
      line.put(metric.name(), metric.score(output.text(), sample.answers(), sample.choices()));
    }
    output.trace().ifPresent(trace -> put(line, trace));
    return line;
  }

  private static void put(ObjectNode line, Trace trace) {
    List<SiteTrace> sites = trace.sites();
    line.put("prompt_tokens", trace.promptTokens());
    line.put("visual_tokens", trace.visualTokens());
    line.put(
        "kept_tokens",
        sites.isEmpty() ? trace.visualTokens() : sites.get(sites.size() - 1).after());
    ArrayNode layers = line.putArray(LAYERS);
    for (int tokens : trace.tokensPerLayer()) {
      layers.add(tokens);
    }
    line.put("vision_flops", trace.visionFlops());
    line.put("prefill_flops", trace.prefillFlops());
    line.put("decode_flops", trace.decodeFlops());
    line.put("kv_bytes", trace.kvBytes());
    Timings timings = trace.timings();
    line.put("generated_tokens", timings.generatedTokens());
    line.put("vision_ms", (float) (timings.visionNanos() / NANOS_PER_MILLI));
    line.put("prefill_ms", (float) (timings.prefillNanos() / NANOS_PER_MILLI));
    line.put("selection_ms", (float) (timings.selectionNanos() / NANOS_PER_MILLI));
    line.put("decode_ms", (float) (timings.decodeNanos() / NANOS_PER_MILLI));
  }

  /** What of an answer is compared: all of it where nothing in it is a choice. */
  private String compared(String answer, Sample sample) {
    String filtered = metrics.get(0).filter(answer, sample.choices());
    return filtered.isEmpty() ? answer.strip().toLowerCase(Locale.ROOT) : filtered;
  }

  static boolean isError(JsonNode line) {
    return line.has(ERROR);
  }

  static String error(JsonNode line) {
    return line.path(ERROR).asText();
  }

  /**
   * Reads the line of an answer.
   *
   * @throws IllegalArgumentException if it does not say of each layer of the decoder what ran there
   */
  ScoredAnswer read(JsonNode line, Sample sample) {
    JsonNode layers = line.path(LAYERS);
    if (decoder.isPresent() && !(layers.isArray() && layers.size() == decoder.get().layers())) {
      throw new IllegalArgumentException("an answer of another decoder");
    }
    return new ScoredAnswer(
        compared(line.path("resps").path(0).path(0).asText(), sample),
        metrics.stream().map(metric -> line.path(metric.name()).doubleValue()).toList(),
        layers.isArray() ? Optional.of(cost(line, layers)) : Optional.empty());
  }

  private ScoredAnswer.Cost cost(JsonNode line, JsonNode layers) {
    int text = line.path("prompt_tokens").intValue() - line.path("visual_tokens").intValue();
    double[] visual = new double[layers.size()];
    Arrays.setAll(visual, i -> layers.get(i).intValue() - text);
    return new ScoredAnswer.Cost(
        line.path("kept_tokens").intValue(),
        Arrays.stream(visual).average().orElse(0),
        line.path("vision_flops").longValue(),
        line.path("prefill_flops").longValue(),
        line.path("decode_flops").longValue(),
        decoder.stream()
            .flatMap(
                shape ->
                    Arrays.stream(FlopsFormula.values())
                        .map(formula -> formula.prefill(shape, visual, text)))
            .toList(),
        line.path("kv_bytes").longValue());
  }
}

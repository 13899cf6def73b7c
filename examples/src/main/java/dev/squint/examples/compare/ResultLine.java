package dev.squint.examples.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.examples.data.Sample;
import dev.squint.examples.metrics.Metric;
import dev.squint.pruning.DecoderShape;
import dev.squint.pruning.FlopsFormula;
import dev.squint.pruning.Timings;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Writes and reads the lines of {@code results.jsonl}: lmms-eval's field names for what it has
 * ({@code doc_id, input, target, resps, filtered_resps, doc_hash} and the metrics by name), our own
 * for the cell and its costs. A line with {@code error} has no answer.
 *
 * @param metrics the metrics of the data set
 * @param decoder the decoder that ran
 */
record ResultLine(List<Metric> metrics, DecoderShape decoder) {

  static final String CELL = "cell";
  static final String DOC = "doc_id";
  private static final String ERROR = "error";
  private static final double NANOS_PER_MILLI = 1e6;
  private static final ObjectMapper JSON = new ObjectMapper();

  private static ObjectNode start(Cell cell, Sample sample, String hash) {
    ObjectNode line = JSON.createObjectNode();
    line.put(DOC, sample.id());
    line.put(CELL, cell.id());
    line.put("doc_hash", hash);
    line.put("input", sample.question());
    ArrayNode target = line.putArray("target");
    sample.answers().forEach(target::add);
    if (!sample.type().isEmpty()) {
      line.put("type", sample.type());
    }
    return line;
  }

  ObjectNode failed(Cell cell, Sample sample, String hash, String reason) {
    return start(cell, sample, hash).put(ERROR, reason);
  }

  ObjectNode answered(Cell cell, Sample sample, String hash, Outcome outcome) {
    ObjectNode line = start(cell, sample, hash);
    line.putArray("resps").addArray().add(outcome.text());
    line.putArray("filtered_resps").add(metrics.get(0).filter(outcome.text(), sample.choices()));
    for (Metric metric : metrics) {
      line.put(metric.name(), metric.score(outcome.text(), sample.answers(), sample.choices()));
    }
    line.put("prompt_tokens", outcome.promptTokens());
    line.put("visual_tokens", outcome.visualTokens());
    line.put("kept_tokens", outcome.keptTokens());
    ArrayNode layers = line.putArray("tokens_per_layer");
    for (int tokens : outcome.tokensPerLayer()) {
      layers.add(tokens);
    }
    line.put("vision_flops", outcome.visionFlops());
    line.put("prefill_flops", outcome.prefillFlops());
    line.put("decode_flops", outcome.decodeFlops());
    line.put("kv_bytes", outcome.kvBytes());
    Timings timings = outcome.timings();
    line.put("generated_tokens", timings.generatedTokens());
    line.put("vision_ms", (float) (timings.visionNanos() / NANOS_PER_MILLI));
    line.put("prefill_ms", (float) (timings.prefillNanos() / NANOS_PER_MILLI));
    line.put("selection_ms", (float) (timings.selectionNanos() / NANOS_PER_MILLI));
    line.put("decode_ms", (float) (timings.decodeNanos() / NANOS_PER_MILLI));
    return line;
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
  Entry read(JsonNode line, Sample sample) {
    JsonNode layers = line.path("tokens_per_layer");
    if (!layers.isArray() || layers.size() != decoder.layers()) {
      throw new IllegalArgumentException("an answer of another decoder");
    }
    double[] scores = new double[metrics.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = line.path(metrics.get(i).name()).doubleValue();
    }
    int text = line.path("prompt_tokens").intValue() - line.path("visual_tokens").intValue();
    double[] visual = new double[layers.size()];
    Arrays.setAll(visual, i -> layers.get(i).intValue() - text);
    FlopsFormula[] papers = FlopsFormula.values();
    double[] paper = new double[papers.length];
    Arrays.setAll(paper, i -> papers[i].prefill(decoder, visual, text));
    return new Entry(
        compared(line.path("resps").path(0).path(0).asText(), sample),
        scores,
        line.path("kept_tokens").intValue(),
        Arrays.stream(visual).average().orElse(0),
        line.path("vision_flops").longValue(),
        line.path("prefill_flops").longValue(),
        line.path("decode_flops").longValue(),
        paper,
        line.path("kv_bytes").longValue());
  }
}

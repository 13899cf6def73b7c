package dev.squint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.image.ImageInput;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.trace.Trace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Answers all questions of a split through the library and writes the counts: {@code mvn
 * -Pevaluation test -Dsquint.evaluation.data=FOLDER}. The folder holds {@code images/N.png} and
 * {@code questions.json}, rows of question, answer, image number and, if known, question type, as
 * easy-VQA and {@code models/training/scenes.py} write them.
 */
@Tag("evaluation")
class SplitEvaluationTest {

  private static final String[] SPECS = {
    "none",
    "random:keep=0.5",
    "uniform:keep=0.5",
    "fastv:k=2,keep=0.5",
    "fastervlm:keep=0.5",
    "random:keep=0.1",
    "uniform:keep=0.1",
    "fastv:k=2,keep=0.1",
    "fastervlm:keep=0.1"
  };

  private record Count(int correct, int total) {
    Count plus(boolean right) {
      return new Count(correct + (right ? 1 : 0), total + 1);
    }
  }

  /**
   * What came of a strategy.
   *
   * @param counts right answers of all questions and by type
   * @param averageVisualTokens visual tokens averaged over layers and questions
   * @param prefillFlopsLeft share of the unpruned prefill, by exact count
   * @param kvBytesLeft share of the unpruned KV cache at the end of the answer
   */
  private record Outcome(
      Map<String, Count> counts,
      double averageVisualTokens,
      double prefillFlopsLeft,
      double kvBytesLeft) {}

  @Test
  void countsTheRightAnswers() throws IOException {
    Path data = Path.of(System.getProperty("squint.evaluation.data"));
    int limit = Integer.getInteger("squint.evaluation.limit", Integer.MAX_VALUE);
    JsonNode rows = new ObjectMapper().readTree(data.resolve("questions.json").toFile());
    String[] specs =
        System.getProperty("squint.evaluation.strategies", "").isBlank()
            ? SPECS
            : System.getProperty("squint.evaluation.strategies").split(";");
    Map<String, Outcome> report = new LinkedHashMap<>();
    try (Squint squint = Squint.load()) {
      for (String spec : specs) {
        report.put(spec, outcome(squint, Strategies.parse(spec.strip()), rows, data, limit));
        System.out.println(spec + " " + report.get(spec));
      }
    }
    Path out = Path.of("target", "evaluation-" + data.toAbsolutePath().getFileName() + ".json");
    Files.writeString(out, new ObjectMapper().writeValueAsString(report));
    int asked = Math.min(limit, rows.size());
    assertThat(report.values()).allMatch(outcome -> outcome.counts().get("all").total() == asked);
  }

  private static Outcome outcome(
      Squint squint, Strategy strategy, JsonNode rows, Path data, int limit) {
    Map<String, Count> counts = new TreeMap<>();
    double tokens = 0;
    double flops = 0;
    double bytes = 0;
    GenerationOptions options = GenerationOptions.builder().maxNewTokens(8).build();
    for (int i = 0; i < Math.min(limit, rows.size()); i++) {
      JsonNode row = rows.get(i);
      ImageInput image = ImageInput.of(data.resolve("images/" + row.get(2).asInt() + ".png"));
      Answer answer =
          squint.ask(image, row.get(0).asText(), strategy, options.toBuilder().seed(i).build());
      boolean right = answer.text().equals(row.get(1).asText());
      add(counts, "all", right);
      Trace trace = answer.trace();
      tokens += trace.averageVisualTokens();
      flops += (double) trace.prefillFlops() / trace.unprunedPrefillFlops();
      bytes += (double) trace.kvBytes() / trace.unprunedKvBytes();
      if (row.has(3)) {
        add(counts, row.get(3).asText(), right);
      }
    }
    int asked = counts.get("all").total();
    return new Outcome(counts, tokens / asked, flops / asked, bytes / asked);
  }

  private static void add(Map<String, Count> counts, String type, boolean right) {
    counts.put(type, counts.getOrDefault(type, new Count(0, 0)).plus(right));
  }
}

package dev.squint.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.data.Task;
import dev.squint.evaluation.internal.ModelOutput;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.evaluation.metrics.MetricSet;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.trace.Timings;
import dev.squint.pruning.trace.Trace;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResultLineTest {

  private static final RunConfig NONE = RunConfig.of(Strategies.parse("none"));
  private static final DecoderShape DECODER = new DecoderShape(8, 128, 4, 2, 32, 384, 600);

  private static Sample sample(List<String> answers, List<String> choices) {
    return new Sample(
        "1", new MediaSource.ImageFile(Path.of("a.png")), "which?", answers, choices, "t");
  }

  private static ScoredAnswer entry(Task task, Sample sample, String answer) {
    DataSet data = new DataSet("d", "CSV", task, List.of(sample), List.of(), "hash");
    ResultLine lines =
        new ResultLine(MetricSet.of(data, Optional.empty()).all(), Optional.of(DECODER));
    ModelOutput outcome =
        new ModelOutput(
            answer,
            Optional.of(
                Trace.of("none", "tiny")
                    .prompt(20, 12)
                    .tokensPerLayer(new int[8])
                    .visionFlops(1)
                    .prefillFlops(1, 1)
                    .decodeFlops(1, 1)
                    .timings(new Timings(0, 0, 0, 0, 0, 0, 1))
                    .kvBytes(1, 1)
                    .build()));
    ObjectNode line = lines.answered(NONE, sample, "hash", outcome);
    assertThat(line.path("type").asText()).isEqualTo("t");
    return lines.read(line, sample);
  }

  @Test
  void answersThatNameNoChoiceAreComparedInFull() {
    Sample sample = sample(List.of("A"), List.of("red", "blue"));
    assertThat(entry(Task.MULTIPLE_CHOICE, sample, "green").answer())
        .isNotEqualTo(entry(Task.MULTIPLE_CHOICE, sample, "black").answer());
    assertThat(entry(Task.MULTIPLE_CHOICE, sample, "Green").answer())
        .isEqualTo(entry(Task.MULTIPLE_CHOICE, sample, " green").answer());
    assertThat(entry(Task.MULTIPLE_CHOICE, sample, "A.").answer())
        .isEqualTo(entry(Task.MULTIPLE_CHOICE, sample, "red").answer());
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "{'tokens_per_layer':[1]}", "{'tokens_per_layer':{'0':1}}"})
  void aLineOfAnotherDecoderIsNoAnswer(String line) {
    ResultLine lines = new ResultLine(List.of(), Optional.of(DECODER));
    assertThatThrownBy(
            () ->
                lines.read(
                    new ObjectMapper().readTree(line.replace('\'', '"')),
                    sample(List.of("a"), List.of())))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anAnswerWithoutATraceHasNoCost() {
    Sample sample = sample(List.of("red"), List.of());
    ResultLine lines =
        new ResultLine(
            MetricSet.of(
                    new DataSet("d", "CSV", Task.SHORT_ANSWER, List.of(sample), List.of(), "hash"),
                    Optional.empty())
                .all(),
            Optional.empty());
    ObjectNode line =
        lines.answered(NONE, sample, "hash", new ModelOutput("Red.", Optional.empty()));
    assertThat(line.has("tokens_per_layer")).isFalse();
    assertThat(lines.read(line, sample))
        .isEqualTo(new ScoredAnswer("red", List.of(1.0), Optional.empty()));
  }

  @Test
  void scoresKeepTheirDigits() {
    Sample sample =
        sample(List.of("red", "red", "red", "blue", "x", "x", "x", "x", "x", "x"), List.of());
    assertThat(entry(Task.VQA, sample, "red").score()).isEqualTo(0.9);
  }
}

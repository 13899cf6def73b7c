package dev.squint.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.examples.data.DataSet;
import dev.squint.examples.data.Medium;
import dev.squint.examples.data.Sample;
import dev.squint.examples.data.Task;
import dev.squint.examples.metrics.MetricSet;
import dev.squint.pruning.DecoderShape;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Timings;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResultLineTest {

  private static final Cell NONE =
      new Cell(
          "none", "none", Strategies.parse("none"), OptionalDouble.empty(), 0, Optional.empty());

  private static Sample sample(List<String> answers, List<String> choices) {
    return new Sample("1", new Medium.ImageFile(Path.of("a.png")), "which?", answers, choices, "t");
  }

  private static Entry entry(Task task, Sample sample, String answer) {
    DataSet data = new DataSet("d", "CSV", task, List.of(sample), List.of(), "hash");
    ResultLine lines =
        new ResultLine(
            MetricSet.of(data, Optional.empty()).all(),
            new DecoderShape(8, 128, 4, 2, 32, 384, 600));
    Outcome outcome =
        new Outcome(answer, 20, 12, 12, new int[8], 1, 1, 1, 1, new Timings(0, 0, 0, 0, 1));
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
    ResultLine lines = new ResultLine(List.of(), new DecoderShape(8, 128, 4, 2, 32, 384, 600));
    assertThatThrownBy(
            () ->
                lines.read(
                    new ObjectMapper().readTree(line.replace('\'', '"')),
                    sample(List.of("a"), List.of())))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void scoresKeepTheirDigits() {
    Sample sample =
        sample(List.of("red", "red", "red", "blue", "x", "x", "x", "x", "x", "x"), List.of());
    assertThat(entry(Task.VQA, sample, "red").scores()[0]).isEqualTo(0.9);
  }
}

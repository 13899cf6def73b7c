package dev.squint.evaluation.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.DataException;
import dev.squint.Squint;
import dev.squint.error.StrategyException;
import dev.squint.evaluation.EvaluationListener;
import dev.squint.evaluation.SettingException;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.DataSets;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.data.SampleData;
import dev.squint.evaluation.data.Task;
import dev.squint.evaluation.internal.ModelOutput;
import dev.squint.evaluation.metrics.MetricSet;
import dev.squint.pruning.trace.Timings;
import dev.squint.pruning.trace.Trace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScheduleSearchTest {

  @TempDir private Path folder;

  /** Counts steps against what was promised. */
  private static final class Counter implements EvaluationListener {

    private final List<String> sentences = new ArrayList<>();
    private long promised;
    private long steps;
    private int ends;

    @Override
    public void started(String task, long most) {
      assertThat(task).isEqualTo("search");
      promised = most;
    }

    @Override
    public void stepped(boolean failed) {
      assertThat(failed).isFalse();
      steps++;
      assertThat(steps).isLessThanOrEqualTo(promised);
    }

    @Override
    public void resized(long most) {
      assertThat(most).isLessThanOrEqualTo(promised);
      promised = most;
    }

    @Override
    public void ended() {
      ends++;
    }

    @Override
    public void said(String sentence) {
      sentences.add(sentence);
    }
  }

  @Test
  void findsTheSameAgainAndKeepsWhatMayBeLost() {
    Counter told = new Counter();
    try (Squint squint = Squint.load();
        SampleData scenes = SampleData.open()) {
      DataSet data = scenes.read();
      ScheduleSearch.Builder plan = ScheduleSearch.of(data).layers(5, 2, 5).limit(4).maxDrop(26);
      ScheduleSearch.Result found = plan.listener(told).build().run(squint);
      assertThat(found.questions()).isEqualTo(4);
      assertThat(found.unpruned()).isGreaterThan(2);
      assertThat(found.right()).isGreaterThanOrEqualTo(found.unpruned() - 1);
      assertThat(found.prefillLeft()).isLessThan(1);
      assertThat(List.of(2, 5)).containsAll(found.schedule().layers());
      assertThat(told.steps).isEqualTo(told.promised);
      assertThat(told.ends).isEqualTo(1);
      assertThat(told.sentences.get(0)).isEqualTo("asking 4 questions unpruned");
      assertThat(plan.listener(EvaluationListener.none()).build().run(squint)).isEqualTo(found);
    }
  }

  @Test
  void aMissingImageAndCaptionsAreRefusedBeforeAnythingIsAsked() throws IOException {
    Path rows = Files.writeString(folder.resolve("questions.json"), "[[\"what?\", \"red\", 7]]");
    assertThatThrownBy(() -> ScheduleSearch.of(DataSets.read(rows)).build())
        .isInstanceOf(DataException.class)
        .hasMessageContaining("no such image")
        .hasMessageContaining("7.png");
    Files.createDirectories(folder.resolve("images"));
    Files.createFile(folder.resolve("images/7.png"));
    ScheduleSearch.of(DataSets.read(rows)).build();
    Files.writeString(rows, "[[\"describe it\", \"a red circle\", 7, \"caption\"]]");
    assertThatThrownBy(() -> ScheduleSearch.of(DataSets.read(rows)).build())
        .hasMessageContaining("captions, which are not right or wrong");
  }

  @Test
  void settingsAreCheckedWhenTheyAreGiven() {
    DataSet data = data("red");
    assertThatThrownBy(() -> ScheduleSearch.of(data).maxDrop(101))
        .isInstanceOf(SettingException.class)
        .hasMessage("max drop 101.0 is no number of points; choose 0 to 100");
    assertThatThrownBy(() -> ScheduleSearch.of(data).maxDrop(Double.NaN))
        .isInstanceOf(SettingException.class);
    assertThatThrownBy(() -> ScheduleSearch.of(data).limit(0)).hasMessageContaining("no question");
    assertThatThrownBy(() -> ScheduleSearch.of(data).maxNewTokens(0))
        .hasMessageContaining("no room");
    assertThatThrownBy(() -> ScheduleSearch.of(data).score("lst").build())
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("did you mean 'last'?");
  }

  private static DataSet data(String... answers) {
    List<Sample> samples = new ArrayList<>();
    for (String answer : answers) {
      samples.add(
          new Sample(
              Integer.toString(samples.size()),
              new MediaSource.ImageFile(Path.of("a.png")),
              "what?",
              List.of(answer),
              List.of(),
              ""));
    }
    return new DataSet("d", "CSV", Task.SHORT_ANSWER, samples, List.of(), "hash");
  }

  private static Trial trial(int needed, String... said) {
    DataSet data = data("Red", "red", "red", "red");
    Trial trial =
        new Trial(data.samples(), MetricSet.of(data, Optional.empty()).plotted(), 4, needed);
    for (int i = 0; i < said.length; i++) {
      trial.answered(null, i, new ModelOutput(said[i], Optional.of(trace())));
    }
    return trial;
  }

  private static Trace trace() {
    return Trace.of("none", "tiny")
        .prompt(20, 12)
        .tokensPerLayer(new int[8])
        .visionFlops(1)
        .prefillFlops(1, 4)
        .decodeFlops(1, 1)
        .timings(new Timings(0, 0, 0, 0, 0, 0, 1))
        .kvBytes(1, 1)
        .build();
  }

  @Test
  void aTrialIsSettledOnceEnoughAreRightOrTooManyWrong() {
    assertThat(trial(2, "red").isSettled()).isFalse();
    assertThat(trial(2, "red", "Red.").isSettled()).isTrue();
    assertThat(trial(2, "dark red", "", "red").isSettled()).isFalse();
    assertThat(trial(2, "dark red", "", "blue").isSettled()).isTrue();
    assertThat(trial(Integer.MAX_VALUE, "red", "red", "red").isSettled()).isFalse();
    assertThat(trial(0).isSettled()).isTrue();
    assertThat(trial(2, "red", "blue").prefillLeft()).isEqualTo(0.25);
    assertThat(trial(2, " red. ", "dark red", "").right()).isEqualTo(1);
  }
}

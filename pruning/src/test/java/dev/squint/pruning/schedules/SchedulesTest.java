package dev.squint.pruning.schedules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.squint.error.StrategyException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SchedulesTest {

  private static final float[][] NO_ROWS = {};

  private static Schedule.Step step(int site, int layer, int entered, float... scores) {
    return new Schedule.Step(site, layer, 32, entered, scores, NO_ROWS);
  }

  @Test
  void fixedSharesAndCountsArePerSite() {
    Fixed shares = new Fixed(List.of(0.5, 0.25));
    assertThat(step(0, 8, 576, new float[576]).kept(shares)).isEqualTo(288);
    assertThat(step(1, 16, 576, new float[288]).kept(shares)).isEqualTo(144);
    assertThat(step(2, 24, 576, new float[144]).kept(shares)).isEqualTo(144);
    Counts counts = new Counts(List.of(64, 16));
    assertThat(step(0, 8, 576, new float[576]).kept(counts)).isEqualTo(64);
    assertThat(step(3, 8, 576, new float[64]).kept(counts)).isEqualTo(16);
    assertThat(step(0, 8, 576, new float[9]).kept(counts)).isEqualTo(9);
  }

  @Test
  void geometricTakesTheSameShareOfWhatIsLeft() {
    assertThat(step(0, 8, 576, new float[576]).kept(new Geometric(0.5))).isEqualTo(288);
    assertThat(step(1, 8, 576, new float[288]).kept(new Geometric(0.5))).isEqualTo(144);
    assertThat(step(1, 8, 576, new float[1]).kept(new Geometric(0.1))).isEqualTo(1);
  }

  /** 0.5 + 0.3 = 0.8 is less than 0.9 of 1, with 0.15 it is more. */
  @Test
  void topPIsTheLeastPrefix() {
    float[] scores = {0.15f, 0.5f, 0.05f, 0.3f};
    assertThat(step(0, 8, 4, scores).kept(new TopP(0.9))).isEqualTo(3);
    assertThat(step(0, 8, 4, scores).kept(new TopP(0.49))).isEqualTo(1);
    assertThat(step(0, 8, 4, 2, 1, 1, Float.NaN, -5).kept(new TopP(0.75))).isEqualTo(2);
    assertThat(step(0, 8, 4, 0, 0, 0, 0).kept(new TopP(0.5))).isEqualTo(4);
    assertThat(step(0, 8, 4, Float.POSITIVE_INFINITY, 1, 1, 1).kept(new TopP(0.5))).isEqualTo(1);
  }

  @Property
  void topPHoldsItsMassAndNoTokenTooMany(
      @ForAll @Size(min = 1, max = 80) List<@FloatRange(min = 0.01f, max = 1) Float> values,
      @ForAll @DoubleRange(min = 0.05, max = 0.99) double mass) {
    float[] scores = new float[values.size()];
    double total = 0;
    for (int i = 0; i < scores.length; i++) {
      scores[i] = values.get(i);
      total += scores[i];
    }
    int kept = step(0, 8, scores.length, scores).kept(new TopP(mass));
    float[] sorted = scores.clone();
    java.util.Arrays.sort(sorted);
    double sum = 0;
    for (int i = 0; i < kept; i++) {
      assertThat(sum).isLessThan(mass * total);
      sum += sorted[sorted.length - 1 - i];
    }
    assertThat(sum).isGreaterThanOrEqualTo(mass * total - 1e-9);
  }

  /** Rows of rank 1: of 11 tokens rint(0.5 * 10) leave. */
  @Test
  void rankAdaptiveSparesWhatIsNotRedundant() {
    float[][] rows = new float[2][11];
    for (int i = 0; i < 11; i++) {
      rows[0][i] = i;
      rows[1][i] = 2 * i;
    }
    Schedule.Step step = new Schedule.Step(0, 8, 32, 11, new float[11], rows);
    assertThat(step.kept(new RankAdaptive(0.5))).isEqualTo(6);
    assertThat(step.kept(new RankAdaptive(0))).isEqualTo(11);
    assertThat(step.kept(new RankAdaptive(1))).isEqualTo(1);
  }

  @Test
  void sigmoidFallsOverDepth() {
    Sigmoid sigmoid = new Sigmoid(10, 0.5, 0, 1);
    assertThat(sigmoid.share(16, 32)).isEqualTo(0.5);
    assertThat(sigmoid.share(0, 32)).isEqualTo(1 / (1 + Math.exp(-5)), offset(1e-12));
    assertThat(step(0, 16, 576, new float[576]).kept(sigmoid)).isEqualTo(288);
    assertThat(
            IntStream.range(1, 32).mapToObj(l -> sigmoid.share(l, 32) < sigmoid.share(l - 1, 32)))
        .containsOnly(true);
  }

  @Property
  void sigmoidMeetsItsBudget(@ForAll @DoubleRange(min = 0.3, max = 0.95) double average) {
    List<Integer> splits = List.of(4, 8, 12, 16, 20, 24, 28);
    Sigmoid sigmoid = Sigmoid.averaging(10, 0.02, 1, splits, 32, average);
    double sum = 4;
    for (int split : splits) {
      sum += 4 * sigmoid.share(split, 32);
    }
    assertThat(sum / 32).isEqualTo(average, offset(1e-6));
  }

  @Test
  void fileIsReadAndWritten(@TempDir Path folder) throws IOException {
    Path path = folder.resolve("found.schedule");
    ScheduleFile schedule = new ScheduleFile(List.of(2, 5), List.of(0.5, 0.125));
    Files.write(path, schedule.lines());
    assertThat(ScheduleFile.read(path.toString())).isEqualTo(schedule);
    Files.writeString(path, "# layer share\n\n 2  0.5 # half\n5\t0.125\n");
    assertThat(ScheduleFile.read(path.toString())).isEqualTo(schedule);
  }

  @Test
  void whatIsNoTextFileIsNotRead(@TempDir Path folder) throws IOException {
    Path large = Files.writeString(folder.resolve("large.schedule"), "#".repeat(2 << 20));
    for (Path path : List.of(folder, large)) {
      assertThatThrownBy(() -> ScheduleFile.read(path.toString()))
          .isInstanceOf(StrategyException.class)
          .hasMessageContaining("is no text file of up to 1,048,576 bytes");
    }
    assertThatThrownBy(() -> ScheduleFile.read("a\0b")).isInstanceOf(StrategyException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "2", "two 0.5", "2 half", "2 0.5 9", "2 0", "2 1.5", "0 0.5", "3 0.5\n2 0.5"})
  void filesThatAreNoSchedule(String text, @TempDir Path folder) throws IOException {
    Path path = folder.resolve("bad.schedule");
    Files.writeString(path, text);
    assertThatThrownBy(() -> ScheduleFile.read(path.toString()))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("bad.schedule")
        .hasMessageEndingWith("write lines such as '4 0.5'");
  }

  @Test
  void fileThatIsNotThere() {
    assertThatThrownBy(() -> ScheduleFile.read("nowhere.schedule"))
        .hasMessage(
            "the schedule file 'nowhere.schedule' cannot be read: nowhere.schedule; make one with 'squint search'");
  }
}

package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TerminalProgressTest {

  private static final int STEPS = 1_000_000;

  private static String drawn(int width, int steps) {
    StringWriter text = new StringWriter();
    try (TerminalProgress progress = new TerminalProgress(new PrintWriter(text, true), width)) {
      progress.started("answers", STEPS);
      for (int i = 0; i < steps; i++) {
        progress.stepped(i == 1);
        if (i == 0) {
          awaitDrawn(text);
        }
      }
    }
    return text.toString();
  }

  /** Another thread draws. */
  private static void awaitDrawn(StringWriter text) {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
    while (text.toString().isEmpty() && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 40, 60, 80, 200})
  void aTerminalsLineIsRedrawnInPlaceAndNeverWraps(int width) {
    String text = drawn(width, 3);
    String[] lines = text.strip().split("\r");
    assertThat(lines).as("what looks alike is not redrawn").hasSizeGreaterThan(width < 40 ? 0 : 1);
    assertThat(Arrays.stream(lines).map(line -> line.replace("\033[K", "")))
        .allSatisfy(line -> assertThat(line).hasSizeLessThan(width));
    assertThat(lines).allMatch(line -> line.endsWith("\033[K"));
    assertThat(lines[lines.length - 1]).startsWith("answers ");
    assertThat(lines[lines.length - 1].contains("3/" + STEPS)).isEqualTo(width >= 40);
    assertThat(text).endsWith(System.lineSeparator());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 80})
  void nothingDoneSaysNothing(int width) {
    assertThat(drawn(width, 0)).isEmpty();
  }

  @Test
  void aFileGetsWholeLinesWithTheTimeLeft() {
    List<String> lines = drawn(0, 3).lines().toList();
    assertThat(lines).hasSize(2).noneMatch(line -> line.contains("\033"));
    assertThat(lines.get(lines.size() - 1))
        .matches("answers +0% \\[[=> ]+] +3/1000000 \\(\\d:\\d\\d:\\d\\d / \\S+\\) .*/s 1 failed");
  }

  @Test
  void whatIsSaidStandsInALineOfItsOwn() {
    StringWriter text = new StringWriter();
    try (TerminalProgress progress = new TerminalProgress(new PrintWriter(text, true), 60)) {
      progress.said("before");
      progress.started("search", 10);
      progress.stepped(false);
      progress.said("layer 2");
      progress.stepped(false);
      progress.resized(2);
    }
    assertThat(text.toString()).startsWith("before" + System.lineSeparator());
    assertThat(text.toString()).contains("\rlayer 2\033[K" + System.lineSeparator());
    assertThat(text.toString()).contains("100%").contains("2/2");
  }

  @Test
  void stepsOfManyThreadsAreCounted() {
    StringWriter text = new StringWriter();
    try (TerminalProgress progress = new TerminalProgress(new PrintWriter(text, true), 0)) {
      progress.started("answers", 2000);
      IntStream.range(0, 2000).parallel().forEach(i -> progress.stepped(false));
    }
    assertThat(text.toString()).contains("2000/2000");
  }
}

package dev.squint.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProgressTest {

  private static String drawn(int width, int steps) {
    StringWriter text = new StringWriter();
    Progress progress = new Progress(new PrintWriter(text, true), width, "answers", 1_000_000);
    for (int i = 0; i < steps; i++) {
      progress.step();
    }
    progress.end();
    return text.toString();
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 40, 60, 80, 200})
  void aTerminalsLineIsRedrawnInPlaceAndNeverWraps(int width) {
    String[] lines = drawn(width, 3).strip().split("\r");
    assertThat(lines).hasSizeGreaterThan(1);
    assertThat(Arrays.stream(lines).map(line -> line.replace("\033[K", "")))
        .allSatisfy(line -> assertThat(line).hasSizeLessThan(width));
    assertThat(lines).allMatch(line -> line.endsWith("\033[K"));
    assertThat(lines[0]).startsWith("answers ").contains(width < 40 ? "1 of" : "1 of 1,000,000");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 80})
  void nothingDoneSaysNothing(int width) {
    assertThat(drawn(width, 0)).isEmpty();
  }

  @Test
  void aFileGetsWholeLinesWithTheTimeLeft() {
    assertThat(drawn(0, 1).lines())
        .singleElement()
        .asString()
        .matches("answers \\[\\.{24}] 1 of 1,000,000, \\S+ a second, .* left");
    assertThat(drawn(0, 2).lines()).hasSize(2);
  }
}

package dev.squint.pruning.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetentionTest {

  /** The counts published for 576 visual tokens, and the ends of the rule. */
  @ParameterizedTest
  @CsvSource({
    "576, 0.75, 432",
    "576, 0.5, 288",
    "576, 0.25, 144",
    "576, 0.1, 58",
    "576, 0.05, 29",
    "576, 0.222, 128",
    "5, 0.5, 2",
    "7, 0.5, 4",
    "144, 0.1, 14",
    "144, 1.0, 144",
    "3, 0.01, 1",
    "0, 0.5, 0"
  })
  void roundsHalfToEvenAndKeepsOne(int tokens, double keep, int expected) {
    assertThat(Retention.count(tokens, keep)).isEqualTo(expected);
  }

  /** Shares written as 1 - R, evaluated in double as the authors' code does. */
  @ParameterizedTest
  @CsvSource({"0.25, 432", "0.5, 288", "0.75, 144", "0.9, 58"})
  void takesTheComplementOfTheDroppedShare(double dropped, int expected) {
    assertThat(Retention.count(576, 1 - dropped)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -0.1, 1.0000001, Double.NaN, Double.POSITIVE_INFINITY})
  void otherSharesAreRefused(double keep) {
    assertThatThrownBy(() -> Retention.count(10, keep))
        .isInstanceOf(StrategyException.class)
        .hasMessage(
            "keep=" + keep + " is out of range; choose a retention ratio above 0 and at most 1");
  }

  @Property
  void staysWithinTheTokens(
      @ForAll @IntRange(min = 1, max = 100_000) int tokens,
      @ForAll @DoubleRange(min = 0.001, max = 1) @Scale(4) double keep) {
    assertThat(Retention.count(tokens, keep)).isBetween(1, tokens);
  }
}

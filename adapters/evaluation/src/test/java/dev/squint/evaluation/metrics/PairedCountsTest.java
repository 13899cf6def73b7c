package dev.squint.evaluation.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PairedCountsTest {

  /** The first row of Newcombe's table II (1998), method 10. */
  @Test
  void differenceIsNewcombes() {
    Interval interval = new PairedCounts(36, 12, 2, 0).difference();
    assertThat(interval.low()).isCloseTo(0.0569, within(5e-5));
    assertThat(interval.high()).isCloseTo(0.3404, within(5e-5));
  }

  @Test
  void scoresAreCountedInPairs() {
    double[] first = {1, 1, 0, 0, 1, 0};
    double[] second = {1, 0, 1, 0, 0, 0};
    assertThat(PairedCounts.of(first, second)).contains(new PairedCounts(1, 2, 1, 2));
    assertThat(PairedCounts.of(new double[] {1, 0.3}, new double[] {1, 1})).isEmpty();
    assertThat(PairedCounts.of(new double[] {1, 1}, new double[] {0.9, 1})).isEmpty();
  }

  @Test
  void equalAnswersLeaveDoubtThatShrinksWithTheirNumber() {
    Interval few = new PairedCounts(240, 0, 0, 0).difference();
    Interval many = new PairedCounts(24_000, 0, 0, 0).difference();
    assertThat(few.low()).isEqualTo(-few.high()).isBetween(-0.02, -0.01);
    assertThat(many.high()).isBetween(0.0001, 0.0002);
    Interval ratio = new PairedCounts(240, 0, 0, 0).ratio().orElseThrow();
    assertThat(ratio.low()).isBetween(0.98, 0.995);
    assertThat(ratio.high()).isCloseTo(1 / ratio.low(), within(1e-12));
  }

  @Test
  void withoutQuestionsNothingIsKnown() {
    PairedCounts none = new PairedCounts(0, 0, 0, 0);
    assertThat(none.difference()).isEqualTo(new Interval(-1, 1));
    assertThat(none.ratio()).isEmpty();
    assertThat(new PairedCounts(0, 3, 0, 3).ratio()).isEmpty();
  }

  @Property
  void swappingTheSettingsTurnsTheIntervals(
      @ForAll @IntRange(max = 3000) int both,
      @ForAll @IntRange(max = 300) int onlyFirst,
      @ForAll @IntRange(max = 300) int onlySecond,
      @ForAll @IntRange(max = 3000) int neither) {
    PairedCounts counts = new PairedCounts(both, onlyFirst, onlySecond, neither);
    PairedCounts swapped = new PairedCounts(both, onlySecond, onlyFirst, neither);
    Interval difference = counts.difference();
    assertThat(difference.low()).isCloseTo(-swapped.difference().high(), within(1e-12));
    assertThat(difference.low()).isGreaterThanOrEqualTo(-1 - 1e-12);
    assertThat(difference.high()).isLessThanOrEqualTo(1 + 1e-12);
    counts
        .ratio()
        .ifPresent(
            ratio -> {
              double share = (double) (both + onlyFirst) / (both + onlySecond);
              assertThat(ratio.low()).isLessThanOrEqualTo(share + 1e-12);
              assertThat(ratio.high()).isGreaterThanOrEqualTo(share - 1e-12);
              swapped
                  .ratio()
                  .ifPresent(
                      turned -> assertThat(ratio.low() * turned.high()).isCloseTo(1, within(1e-9)));
            });
  }

  /** Draws tables of known shares: about 95 of 100 intervals have to hold the true figure. */
  @ParameterizedTest
  @CsvSource({
    "240, 0.90, 0.06, 0.01",
    "240, 0.50, 0.20, 0.10",
    "1500, 0.95, 0.03, 0.01",
    "100, 0.60, 0.05, 0.05",
    "240, 0.97, 0.01, 0.01"
  })
  void nineteenOfTwentyIntervalsHoldTheTruth(
      int questions, double both, double onlyFirst, double onlySecond) {
    int tables = 4000;
    int differences = 0;
    int ratios = 0;
    SplittableRandom random = new SplittableRandom(1);
    for (int table = 0; table < tables; table++) {
      int[] counts = new int[4];
      for (int question = 0; question < questions; question++) {
        double drawn = random.nextDouble();
        counts[
            drawn < both
                ? 0
                : drawn < both + onlyFirst ? 1 : drawn < both + onlyFirst + onlySecond ? 2 : 3]++;
      }
      PairedCounts drawn = new PairedCounts(counts[0], counts[1], counts[2], counts[3]);
      differences += holds(drawn.difference(), onlyFirst - onlySecond) ? 1 : 0;
      ratios +=
          holds(drawn.ratio().orElseThrow(), (both + onlyFirst) / (both + onlySecond)) ? 1 : 0;
    }
    assertThat((double) differences / tables).isBetween(0.94, 0.995);
    assertThat((double) ratios / tables).isBetween(0.94, 0.995);
  }

  private static boolean holds(Interval interval, double truth) {
    return interval.low() <= truth && truth <= interval.high();
  }

  @Test
  void otherScoresAreResampledInPairs() {
    double[] first = {0.9, 0.6, 0.3, 1, 0.9, 0.6, 1, 0.3};
    double[] lower = new double[first.length];
    for (int i = 0; i < first.length; i++) {
      lower[i] = first[i] - 0.25f;
    }
    Interval difference = new Intervals(true, 3).ofDifference(first, lower);
    assertThat(difference.low()).isCloseTo(0.25, within(1e-6));
    assertThat(difference.high()).isCloseTo(0.25, within(1e-6));
    Interval ratio = new Intervals(true, 3).ofRatio(lower, first).orElseThrow();
    assertThat(ratio.low()).isLessThan(0.643).isGreaterThan(0.3);
    assertThat(ratio.high()).isGreaterThan(0.643).isLessThan(0.75);
    assertThat(new Intervals(true, 3).ofRatio(first, new double[first.length])).isEmpty();
  }
}

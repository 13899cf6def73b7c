package dev.squint.pruning.schedules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class GSearchTest {

  private static int count(ScheduleFile schedule, int site, int tokens) {
    return (int) Math.rint(schedule.shares().get(site) * tokens);
  }

  @Test
  void triesHalvesWithDeeperLayersAlike() {
    List<List<Double>> tried = new ArrayList<>();
    ScheduleFile found =
        new GSearch(List.of(2, 5), 8)
            .search(
                (schedule, standing) -> {
                  tried.add(schedule.shares());
                  return count(schedule, 0, 8) >= 4 && count(schedule, 1, 8) >= 2;
                });
    assertThat(found).isEqualTo(new ScheduleFile(List.of(2, 5), List.of(0.5, 0.25)));
    assertThat(tried)
        .containsExactly(
            List.of(0.5, 0.5),
            List.of(0.25, 0.25),
            List.of(0.375, 0.375),
            List.of(0.5, 0.25),
            List.of(0.5, 0.125));
  }

  @Test
  void layersAtWhichNothingLeavesAreLeftOut() {
    GSearch search = new GSearch(List.of(1, 3, 6), 8);
    assertThat(search.search((schedule, standing) -> count(schedule, 1, 8) >= 6))
        .isEqualTo(new ScheduleFile(List.of(1, 6), List.of(0.75, 0.125)));
    assertThat(search.search((schedule, standing) -> false))
        .isEqualTo(new ScheduleFile(List.of(1), List.of(1.0)));
    assertThat(search.search((schedule, standing) -> true))
        .isEqualTo(new ScheduleFile(List.of(1), List.of(0.125)));
  }

  @Test
  void oneTokenNeedsNoTrial() {
    assertThat(new GSearch(List.of(1), 1).search((schedule, standing) -> false).shares())
        .containsExactly(1.0);
    assertThat(new GSearch(List.of(1), 1).trials()).isZero();
    assertThat(new GSearch(List.of(2, 4), 144).trials()).isEqualTo(16);
    assertThatThrownBy(() -> new GSearch(List.of(), 8)).isInstanceOf(StrategyException.class);
    assertThatThrownBy(() -> new GSearch(List.of(1), 0)).isInstanceOf(StrategyException.class);
  }

  @Property
  void findsTheLeastCountsWhereQualityFallsEvenly(
      @ForAll @IntRange(min = 1, max = 600) int tokens,
      @ForAll @IntRange(min = 1, max = 600) int firstNeeds,
      @ForAll @IntRange(min = 1, max = 600) int secondNeeds) {
    int first = Math.min(firstNeeds, tokens);
    int second = Math.min(secondNeeds, tokens);
    GSearch search = new GSearch(List.of(2, 9), tokens);
    int[] asked = {0, search.trials() + 1};
    ScheduleFile found =
        search.search(
            (schedule, standing) -> {
              assertThat(standing.done()).isEqualTo(asked[0]++);
              assertThat(standing.left()).isBetween(0, asked[1] - 1);
              asked[1] = standing.left();
              return count(schedule, 0, tokens) >= first && count(schedule, 1, tokens) >= second;
            });
    assertThat(asked[0]).isLessThanOrEqualTo(search.trials());
    int shallow = Math.max(first, second);
    int last = found.layers().size() - 1;
    assertThat(count(found, 0, tokens)).isEqualTo(shallow == tokens ? second : shallow);
    assertThat(count(found, last, tokens)).isEqualTo(second);
  }
}

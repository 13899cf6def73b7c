package dev.squint.pruning;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.site.Selection;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;

/**
 * The bars for deciding over up to 2,880 visual tokens at a hidden size of 4,096: 1 ms for rules
 * that rank a row of scores, 20 ms for those that compare or merge vectors; medians, which
 * neighbours on the machine disturb least. {@code mvn -Pjmh -pl pruning test} measures them, a
 * minute for five strategies; the normal build decides once.
 *
 * <p>{@code -Dsquint.jmh="dart;fastv:k=3"} measures some specs only.
 */
class DecisionTimeTest {

  /** Of a tile, where nothing is timed. */
  private static final int TOKENS = Boolean.getBoolean("squint.full") ? 576 : 144;

  private static final double SCORES = 1;
  private static final double VECTORS = 20;

  private static final String ONE_TILE = "1x2880";

  /**
   * Look again and again at how a token is like all of a tile, for the nearest or for what it would
   * cover: claim the bar for tiles of 576.
   */
  private static final Set<String> CLAIM_SMALL_TILES = Set.of("vispruner", "scope", "mmtok");

  /** Clusters hidden states at up to three sites, which are timed together: claims it for 576. */
  private static final Set<String> CLAIM_SMALL_IMAGES = Set.of("sparsevlm");

  static List<String> strategies() {
    String some = System.getProperty("squint.jmh", "");
    return some.isEmpty()
        ? Strategies.available().stream()
            .map(StrategyType::name)
            .filter(name -> !Strategies.parse(name).plan(TestModels.llava()).isEmpty())
            .toList()
        : List.of(some.split(";"));
  }

  @ParameterizedTest
  @MethodSource("strategies")
  void everyStrategyDecides(String strategy) {
    int tiles = Boolean.getBoolean("squint.full") ? 5 : 2;
    List<Decisions.Site> sites = Decisions.of(strategy, tiles + "x" + TOKENS).sites();
    assertThat(sites).isNotEmpty();
    Selection first = sites.get(0).decide().requireFits(tiles * TOKENS);
    assertThat(first.size()).isLessThanOrEqualTo(tiles * TOKENS);
  }

  @Test
  @Tag("jmh")
  void barsAreHeld() throws RunnerException {
    List<String> missed = new ArrayList<>();
    for (String strategy : strategies()) {
      double bar = Decisions.of(strategy, "1x576").comparesOrMerges() ? VECTORS : SCORES;
      for (RunResult result : measure(strategy)) {
        Statistics times = result.getPrimaryResult().getStatistics();
        String image = result.getParams().getParam("image");
        boolean claimed =
            !(image.equals(ONE_TILE) && CLAIM_SMALL_TILES.contains(strategy))
                && (image.equals("1x576") || !CLAIM_SMALL_IMAGES.contains(strategy));
        boolean held = times.getPercentile(50) <= bar;
        String line =
            "%-16s %6s tokens: %7.3f ms, nine of ten below %7.3f ms; bar %2.0f ms %s"
                .formatted(
                    strategy,
                    image,
                    times.getPercentile(50),
                    times.getPercentile(90),
                    bar,
                    held ? "held" : claimed ? "MISSED" : "not claimed");
        System.out.println(line);
        if (claimed && !held) {
          missed.add(line);
        }
      }
    }
    assertThat(missed).isEmpty();
  }

  private static Iterable<RunResult> measure(String strategy) throws RunnerException {
    return new Runner(
            new OptionsBuilder()
                .include(DecisionBenchmark.class.getName())
                .param("strategy", strategy)
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true)
                .build())
        .run();
  }
}

package dev.squint.pruning;

import static org.assertj.core.api.Assertions.assertThat;

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
 * The bars for deciding over 2,880 visual tokens at a hidden size of 4,096: 1 ms for rules that
 * rank a row of scores, 20 ms for those that compare or merge vectors; medians, which neighbours on
 * the machine disturb least. {@code mvn -Pjmh -pl pruning test} measures them, a minute for five
 * strategies; the normal build decides once.
 *
 * <p>{@code -Dsquint.jmh="dart;fastv:k=3"} measures some specs only.
 */
class DecisionTimeTest {

  private static final double SCORES = 1;
  private static final double VECTORS = 20;

  /** Compare all pairs of a tile again and again: they claim the bar for tiles of 576 tokens. */
  private static final Set<String> CLAIM_TILES = Set.of("prumerge-plus", "tome", "vispruner");

  /** Clusters hidden states at up to three sites, which are timed together: it misses the bar. */
  private static final Set<String> CLAIM_NOTHING = Set.of("sparsevlm");

  static List<String> strategies() {
    String some = System.getProperty("squint.jmh", "");
    return some.isEmpty()
        ? Strategies.available().stream()
            .map(StrategyProvider::name)
            .filter(name -> !Strategies.parse(name).plan(TestModels.llava()).isEmpty())
            .toList()
        : List.of(some.split(";"));
  }

  @ParameterizedTest
  @MethodSource("strategies")
  void everyStrategyDecides(String strategy) {
    List<Decisions.Site> sites = Decisions.of(strategy, 5).sites();
    assertThat(sites).isNotEmpty();
    Selection first = sites.get(0).decide().requireFits(Decisions.TOKENS);
    assertThat(first.size()).isLessThanOrEqualTo(Decisions.TOKENS);
  }

  @Test
  @Tag("jmh")
  void barsAreHeld() throws RunnerException {
    List<String> missed = new ArrayList<>();
    for (String strategy : strategies()) {
      double bar = Decisions.of(strategy, 5).comparesOrMerges() ? VECTORS : SCORES;
      for (RunResult result : measure(strategy)) {
        Statistics times = result.getPrimaryResult().getStatistics();
        String tiles = result.getParams().getParam("tiles");
        boolean claimed =
            !CLAIM_NOTHING.contains(strategy)
                && (tiles.equals("5") || !CLAIM_TILES.contains(strategy));
        boolean held = times.getPercentile(50) <= bar;
        String line =
            "%-16s %s x %4d tokens: %7.3f ms, nine of ten below %7.3f ms; bar %2.0f ms %s"
                .formatted(
                    strategy,
                    tiles,
                    Decisions.TOKENS / Integer.parseInt(tiles),
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

package dev.squint.cli.torture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.fixtures.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A few seconds of the torture in every build, always the same cases; twenty times as many with
 * {@code -Pfull}.
 */
class TortureSampleTest {

  /** Seeds that the long run does not reach. */
  private static final long FIRST = 1L << 40;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "images, 600",
    "own-images, 300",
    "graphs, 120",
    "json, 120",
    "tokenizers, 120",
    "templates, 120",
    "splits, 100"
  })
  void inputsAreAnsweredOrRefused(String campaign, int all)
      throws IOException, InterruptedException {
    int cases = Share.isWhole() ? all : all / 20;
    Child.Limits limits = new Child.Limits(Duration.ofMinutes(2), 2_500_000, "512m");
    Runner runner = new Runner(Fixtures.folder(), folder, limits);
    runner.run(campaign, FIRST, FIRST + cases);
    List<CaseResult> results = runner.results(campaign);
    assertThat(results).hasSize(cases);
    assertThat(results).extracting(CaseResult::outcome).contains(Outcome.ANSWERED, Outcome.REFUSED);
    assertThat(results).filteredOn(result -> result.outcome().isFault()).isEmpty();
  }
}

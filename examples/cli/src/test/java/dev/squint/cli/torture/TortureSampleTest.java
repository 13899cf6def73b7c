package dev.squint.cli.torture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.fixtures.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A few seconds of the torture in every build, always the same cases; twenty times as many with
 * {@code -Pfull}.
 */
class TortureSampleTest {

  /** Seeds that the long run does not reach. */
  private static final long FIRST = 1L << 40;

  @TempDir Path folder;

  @Test
  void inputsAreAnsweredOrRefused() throws IOException, InterruptedException {
    int cases = (Share.isWhole() ? 120 : 6) * MixedCampaign.TURNS.size();
    Child.Limits limits = new Child.Limits(Duration.ofMinutes(2), 2_500_000, "512m");
    Runner runner = new Runner(Fixtures.folder(), folder, limits);
    runner.run("mixed", FIRST, FIRST + cases);
    List<CaseResult> results = runner.results("mixed");
    assertThat(results).hasSize(cases);
    assertThat(results).filteredOn(result -> result.outcome().isFault()).isEmpty();
    for (String kind : new HashSet<>(MixedCampaign.TURNS)) {
      Set<Outcome> outcomes =
          results.stream()
              .filter(result -> MixedCampaign.kind(result.seed()).equals(kind))
              .map(CaseResult::outcome)
              .collect(Collectors.toSet());
      assertThat(outcomes).as(kind).contains(Outcome.ANSWERED, Outcome.REFUSED);
    }
  }
}

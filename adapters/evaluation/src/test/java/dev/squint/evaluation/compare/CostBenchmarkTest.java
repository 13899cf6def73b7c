package dev.squint.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.evaluation.EvaluationListener;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.pruning.Strategies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CostBenchmarkTest {

  @TempDir private Path folder;

  private static RunConfig config(String spec) {
    return new RunConfig(
        spec, spec, Strategies.parse(spec), OptionalDouble.empty(), 0, Optional.empty());
  }

  private long left(int rounds, String... lines) throws IOException {
    Path file = folder.resolve("costs.jsonl");
    List<String> written = new ArrayList<>();
    for (String line : lines) {
      String[] part = line.split(" ");
      written.add(
          "{\"cell\":\"%s\",\"batch\":%s,\"round\":%s,\"total_ms\":1}"
              .formatted(part[0], part[1], part[2]));
    }
    Files.write(file, written);
    List<RunConfig> configs = List.of(config("none"), config("fastv"), config("dart"));
    try (CostBenchmark costs =
        new CostBenchmark(
            file, null, List.of(), new int[] {0}, false, () -> false, EvaluationListener.none())) {
      return costs.left(configs, rounds);
    }
  }

  @Test
  void aNewFileNeedsAllAndAWarmUpOfEach() throws IOException {
    assertThat(left(2)).isEqualTo(2 * 3 + 3);
  }

  @Test
  void whatIsTimedNextToTheUnprunedModelIsDone() throws IOException {
    assertThat(left(1, "none 1 0", "fastv 1 0", "dart 1 0")).isZero();
    assertThat(left(1, "none 1 0", "fastv 1 0", "none 2 0", "dart 2 0")).isZero();
  }

  @Test
  void theUnprunedModelIsTimedAgainNextToALaterStrategy() throws IOException {
    assertThat(left(1, "none 1 0", "fastv 1 0")).as("dart and none, warm-ups").isEqualTo(2 + 2);
  }

  @Test
  void whatAKillLeftWithoutAPartnerIsTimedAgain() throws IOException {
    assertThat(left(1, "fastv 1 0")).isEqualTo(3 + 3);
    assertThat(left(1, "fastv 1 0", "none 2 0", "dart 2 0"))
        .as("fastv and none, warm-ups")
        .isEqualTo(2 + 2);
  }
}

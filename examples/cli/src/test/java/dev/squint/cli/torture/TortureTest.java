package dev.squint.cli.torture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The whole torture: {@code mvn -Ptorture test}. It goes on where an earlier run was stopped;
 * {@code -Dsquint.torture.folder} says where its logs lie, {@code
 * -Dsquint.torture.only=images,graphs} which inputs are tried, {@code -Dsquint.torture.scale=0.1}
 * how many of them.
 */
@Tag("torture")
class TortureTest {

  private static final Map<String, Integer> CASES =
      Map.of(
          "images", 100_000,
          "own-images", 20_000,
          "graphs", 50_000,
          "json", 10_000,
          "tokenizers", 10_000,
          "templates", 10_000,
          "splits", 5_000,
          "kills", 200,
          "full-disk", 200);

  @Test
  void nothingIsLostAndNothingCrashes() throws IOException, InterruptedException {
    Path folder =
        Path.of(System.getProperty("squint.torture.folder", "target/torture")).toAbsolutePath();
    double scale = Double.parseDouble(System.getProperty("squint.torture.scale", "1"));
    List<String> only =
        List.of(
            System.getProperty(
                    "squint.torture.only",
                    "splits,tokenizers,templates,json,images,own-images,graphs,kills,full-disk")
                .split(","));
    Table table = new Table();
    List<CaseResult> faults = new ArrayList<>();
    for (String campaign : only) {
      Runner runner = new Runner(Fixtures.folder(), folder, limits(campaign));
      runner.run(campaign, 0, Math.round(CASES.get(campaign) * scale));
      List<CaseResult> results = runner.results(campaign);
      table.add(campaign, results);
      results.stream().filter(result -> result.outcome().isFault()).forEach(faults::add);
      Files.writeString(folder.resolve("table.md"), table.toString());
    }
    System.out.println(table);
    assertThat(faults).isEmpty();
  }

  /** Commands are processes of their own, which start three times. */
  private static Child.Limits limits(String campaign) {
    boolean commands = campaign.equals("kills") || campaign.equals("full-disk");
    return new Child.Limits(Duration.ofSeconds(commands ? 600 : 10), 2_500_000, "512m");
  }
}

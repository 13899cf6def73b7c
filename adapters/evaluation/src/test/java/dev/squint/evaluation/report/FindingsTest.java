package dev.squint.evaluation.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FindingsTest {

  @Test
  void sentencesGoByTheMeanOfRandomDraws() {
    // Random scores 0.5 + 0.4 keep in the mean of its draws, 0.52 + 0.4 keep in its best.
    Summary summary = Synthetic.summary(2, false);
    assertThat(Configuration.of(summary).stream().filter(s -> s.series().equals("random")))
        .extracting(
            Configuration::id,
            s -> s.draws().size(),
            s -> Math.round(1000 * s.score("exact_match")))
        .contains(tuple("random:keep=0.25, 3 seeds", 3, 610L));
    assertThat(new Findings(summary).sentences())
        .hasSize(3)
        .last()
        .asString()
        .startsWith("Of 10 settings of methods that save FLOPs")
        .endsWith("random 0, resize 0.");
  }

  @Test
  void theUnprunedModelAloneSaysNothing() {
    Summary all = Synthetic.summary(0, false);
    Summary alone =
        new Summary(
            all.run(),
            all.machine(),
            all.configs().subList(0, 1),
            List.of(),
            all.discordant(),
            all.notes());
    assertThat(new Findings(alone).sentences()).isEmpty();
  }

  @Test
  void amongEquallyAccurateSettingsTheCheapestIsNamed() {
    Summary all = Synthetic.summary(0, false);
    Summary.RunSummary resized = all.configs().get(all.configs().size() - 2);
    assertThat(resized.series()).isEqualTo("resize");
    Summary.RunSummary dear =
        new Summary.RunSummary(
            "dear",
            "dear",
            "dear",
            Optional.empty(),
            0,
            Optional.empty(),
            0,
            resized.scores(),
            resized.byType(),
            resized.against(),
            all.configs().get(1).cost(),
            Optional.empty());
    for (List<Summary.RunSummary> configs :
        List.of(
            List.of(all.configs().get(0), dear, resized),
            List.of(all.configs().get(0), resized, dear))) {
      Summary two =
          new Summary(all.run(), all.machine(), configs, List.of(), all.discordant(), all.notes());
      assertThat(new Findings(two).sentences().get(1))
          .contains("50 %: " + resized.id())
          .doesNotContain("dear");
    }
  }
}

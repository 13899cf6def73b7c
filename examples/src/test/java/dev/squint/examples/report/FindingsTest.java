package dev.squint.examples.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class FindingsTest {

  @Test
  void sentencesGoByTheMeanOfRandomDraws() {
    // Random scores 0.5 + 0.4 keep in the mean of its draws, 0.52 + 0.4 keep in its best.
    Summary summary = Synthetic.summary(2, false);
    assertThat(Setting.of(summary).stream().filter(s -> s.series().equals("random")))
        .extracting(
            Setting::id, s -> s.draws().size(), s -> Math.round(1000 * s.score("exact_match")))
        .contains(org.assertj.core.groups.Tuple.tuple("random:keep=0.25, 3 seeds", 3, 610L));
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
            all.cells().subList(0, 1),
            List.of(),
            all.discordant(),
            all.notes());
    assertThat(new Findings(alone).sentences()).isEmpty();
  }
}

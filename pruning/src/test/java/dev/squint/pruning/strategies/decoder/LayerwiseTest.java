package dev.squint.pruning.strategies.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link Layerwise}, {@link Twilight}, {@link PSigmoid} and {@link ZipVl}. */
class LayerwiseTest {

  private static final float[] LAST = {0.1f, 0.4f, 0.05f, 0.15f};

  /** Four visual tokens and two texts after them, of which the first rates. */
  private static int[] kept(String spec) {
    SitePlan site = Strategies.parse(spec).plan(Models.llava(true)).get(0);
    int layer = site.site().depth() - 1;
    Map<Expression, Observation> seen = new HashMap<>();
    seen.put(Observe.textToVisualAttention(layer, Rows.LAST), new Observation(1, 4, LAST));
    seen.put(
        Observe.textToVisualAttention(layer, Rows.TEXT_AFTER_VISUAL),
        new Observation(2, 4, new float[] {0.9f, 0, 0.8f, 0, 0.1f, 0.4f, 0.05f, 0.15f}));
    seen.put(
        Observe.embeddingSimilarity(Measure.DOT),
        new Observation(2, 4, new float[] {5, 5, 5, 5, 0, 0, 0, 0}));
    TokenLayout layout = new TokenLayout(8, List.of(new VisualSpan(0, 2, 4, 2, 2)));
    return site.decision()
        .select(SiteContext.whole(site.site(), layout, 3), Observations.of(seen))
        .keptVisual();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "layerwise | 1 3",
        "layerwise:share=0.25 | 1",
        "layerwise:schedule=geometric,share=0.75 | 0 1 3",
        "layerwise:schedule=counts,count=1 | 1",
        "layerwise:schedule=counts | 0 1 2 3",
        "layerwise:schedule=top-p,share=0.55 | 1",
        "layerwise:schedule=top-p,share=0.6 | 1 3",
        "layerwise:schedule=rank,share=1 | 1",
        "layerwise:score=text | 0 2",
        "layerwise:score=text,schedule=rank,share=1 | 0 2",
        "layerwise:score=raters | 0 2",
        "twilight | 0 1 3",
        "twilight:p=0.5 | 1",
        "zipvl:tau=0.5 | 0 2",
        "zipvl:tau=0.9 | 0 1 2",
      })
  void whatStays(String spec, String expected) {
    int[] indices =
        java.util.Arrays.stream(expected.split(" ")).mapToInt(Integer::parseInt).toArray();
    assertThat(kept(spec)).containsExactly(indices);
  }

  @Test
  void sitesAreScaledAndKeepPositions() {
    for (String spec : List.of("twilight", "zipvl")) {
      List<SitePlan> plan = Strategies.parse(spec).plan(Models.llava(true));
      assertThat(plan).extracting(site -> site.site().depth()).containsExactly(2, 8, 16, 24);
      assertThat(plan).extracting(SitePlan::positions).containsOnly(PositionPolicy.ORIGINAL);
    }
    assertThat(Strategies.parse("layerwise:layers=5").plan(Models.llava(true)).get(0).site())
        .isEqualTo(new Site.BeforeLayer(5));
  }

  @Test
  void aDrawRepeatsForASeed() {
    assertThat(kept("layerwise:score=random")).hasSize(2).isEqualTo(kept("layerwise:score=random"));
  }

  /** 4 layers of all tokens and 4 with each share: a mean of half of 576. */
  @Test
  void sigmoidMeetsItsBudgetInTokens() {
    double sum = 4 * 576;
    for (SitePlan site : Strategies.parse("psigmoid:keep=0.5").plan(Models.llava(true))) {
      Expression need = site.needs().iterator().next();
      Observations seen = Observations.of(Map.of(need, new Observation(1, 576, new float[576])));
      sum +=
          4
              * site.decision()
                  .select(Models.context(site.site(), 0, new int[] {24, 24}), seen)
                  .size();
    }
    assertThat(sum / 32).isBetween(287.5, 288.5);
  }

  @Test
  void budgetThatCannotBeMet() {
    assertThatThrownBy(() -> Strategies.parse("psigmoid:keep=0.1").plan(Models.llava(true)))
        .hasMessage(
            "strategy 'psigmoid': keep=0.1, but all tokens run in the first 4 of 32 layers, so the mean is at least 0.143; choose earlier layers or more");
  }

  @Test
  void fileSaysLayersAndShares(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("found.schedule");
    Files.writeString(file, "3 0.75\n9 0.25\n");
    List<SitePlan> plan = Strategies.parse("layerwise:file=" + file).plan(Models.llava(true));
    assertThat(plan).extracting(site -> site.site().depth()).containsExactly(3, 9);
    assertThat(kept("layerwise:file=" + file)).containsExactly(0, 1, 3);
  }

  @Test
  void numbersThatDoNotFit() {
    assertThatThrownBy(() -> Strategies.parse("layerwise:schedule=top-p,share=0.5/0.2"))
        .hasMessage(
            "strategy 'layerwise': schedule=top-p takes one share, but 2 are given; give one");
    assertThatThrownBy(() -> Strategies.parse("layerwise:share=0"))
        .hasMessage(
            "strategy 'layerwise': share=0 keeps nothing; choose a share above 0, or strategy 'exit'");
  }
}

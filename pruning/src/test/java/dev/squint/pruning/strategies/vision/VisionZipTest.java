package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.squint.error.StrategyException;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VisionZipTest {

  private static final Expression KEYS = Observe.keySimilarity(22, Heads.AVERAGED);

  private static Selection select(Strategy strategy, float[] attention, Observation keys) {
    Map<Expression, Observation> seen =
        Map.of(
            Observe.clsAttention(22), new Observation(1, attention.length, attention), KEYS, keys);
    return Models.select(strategy, seen, new int[] {1, attention.length});
  }

  /** Cosines of unit vectors at the given degrees. */
  private static Observation angles(double... degrees) {
    int n = degrees.length;
    float[] cosines = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        cosines[i * n + j] = (float) Math.cos(Math.toRadians(degrees[i] - degrees[j]));
      }
    }
    return new Observation(n, n, cosines);
  }

  @Test
  void readsTheLastLayerAndMergesBeforeTheProjector() {
    SitePlan plan = Models.onlySite(new VisionZip(54, 10));
    assertThat(plan.site()).isEqualTo(new Site.BeforeProjector());
    assertThat(plan.needs()).containsExactlyInAnyOrder(Observe.clsAttention(22), KEYS);
    assertThat(plan.positions()).isEqualTo(PositionPolicy.COMPACTED);
    assertThat(plan.merges()).isTrue();
    assertThat(new VisionZip(54, 10).plan(Models.llava(false)).get(0).needs())
        .containsExactlyInAnyOrder(Observe.attentionReceived(22), KEYS);
  }

  /** [CLS] and 53 patches in the code: of 523 others each 52nd is a target. */
  @Test
  void publishedTargets() {
    float[] attention = new float[576];
    Arrays.fill(attention, 523, 576, 1);
    Selection selection =
        select(new VisionZip(53, 10), attention, new Observation(576, 576, new float[576 * 576]));
    assertThat(selection.keptVisual()).containsExactly(IntStream.range(523, 576).toArray());
    assertThat(selection.added())
        .extracting(MergedToken::origin)
        .containsExactly(0, 52, 104, 156, 208, 260, 312, 364, 416, 468);
  }

  /**
   * Tokens 1 and 4 dominate. Of 0, 2, 3, 5, 6 with two targets the step is 2: targets are 0 and 3.
   * Token 2 (20 degrees) joins 0 (0), 5 and 6 (80, 100) join 3 (90).
   */
  @Test
  void othersJoinTheTargetWithTheMostSimilarKey() {
    float[] attention = {0.1f, 0.9f, 0.1f, 0.1f, 0.8f, 0.2f, 0.3f};
    Observation keys = angles(0, 0, 20, 90, 90, 80, 100);
    Selection paper = select(new VisionZip(2, 2), attention, keys);
    assertThat(paper.keptVisual()).containsExactly(1, 4);
    assertThat(paper.scores()).containsExactly(attention);
    assertThat(paper.merged())
        .containsExactly(MergedToken.mean(0, 0, 2), MergedToken.mean(3, 3, 5, 6));

    Selection code =
        select(Strategies.parse("visionzip:dominant=2,contextual=2,merge=code"), attention, keys);
    assertThat(code.merged())
        .containsExactly(
            new MergedToken(0, new int[] {0, 2}, new float[] {1, 1}),
            new MergedToken(3, new int[] {3, 5, 6}, new float[] {1, 0.5f, 0.5f}));
  }

  @Test
  void targetThatNobodyJoinsStaysAsItIs() {
    float[] attention = {9, 0, 0, 0};
    Observation keys = angles(0, 0, 90, 1);
    for (String merge : List.of("paper", "code")) {
      Selection selection =
          select(
              Strategies.parse("visionzip:dominant=1,contextual=2,merge=" + merge),
              attention,
              keys);
      assertThat(selection.merged().get(1)).isEqualTo(MergedToken.mean(2, 2));
      assertThat(selection.merged().get(0).sources()).containsExactly(1, 3);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "tokens=192, 162, 30",
    "tokens=128, 108, 20",
    "tokens=64, 54, 10",
    "tokens=1, 1, 0",
    "keep=0.5, 243, 45",
    "dominant=54, 54, 10",
    "contextual=20, 108, 20",
    "merge=paper, 54, 10",
  })
  void budgetIsSplit54To10(String given, int dominant, int contextual) {
    Selection selection =
        select(
            Strategies.parse("visionzip:" + given),
            new float[576],
            new Observation(576, 576, new float[576 * 576]));
    assertThat(selection.keptVisual()).hasSize(dominant);
    assertThat(selection.added()).hasSize(contextual);
  }

  @Test
  void asManyAsThereAreStayAsTheyAre() {
    Selection selection = select(new VisionZip(3, 1), new float[4], angles(0, 1, 2, 3));
    assertThat(selection).isEqualTo(new Selection(new int[] {0, 1, 2, 3}, new float[4]));
    Selection scarce =
        select(new VisionZip(Integer.MAX_VALUE, 3), new float[4], angles(0, 1, 2, 3));
    assertThat(scarce.keptVisual()).hasSize(4);
    assertThat(scarce.merged()).isEmpty();
    assertThat(scarce.notes()).hasSize(1);
    assertThatThrownBy(() -> new VisionZip(0, 3))
        .isInstanceOf(StrategyException.class)
        .hasMessage(
            "strategy 'visionzip': dominant=0 is out of range; choose a whole number of at least 1");
  }

  @Property(tries = 200)
  void everyTokenIsKeptOrMergedOnceAndMeansWeighOne(
      @ForAll @IntRange(min = 1, max = 40) int tokens,
      @ForAll @IntRange(min = 1, max = 50) int budget,
      @ForAll double[] degrees) {
    double[] of =
        IntStream.range(0, tokens)
            .mapToDouble(i -> i < degrees.length ? degrees[i] % 360 : i)
            .toArray();
    float[] attention = new float[tokens];
    for (int i = 0; i < tokens; i++) {
      attention[i] = (float) of[i];
    }
    Selection selection =
        select(Strategies.parse("visionzip:tokens=" + budget), attention, angles(of));
    assertThat(selection.size()).isEqualTo(Math.min(tokens, budget));
    if (selection.merged().isEmpty()) {
      return;
    }
    IntStream sources =
        selection.merged().stream().flatMapToInt(token -> Arrays.stream(token.sources()));
    assertThat(IntStream.concat(sources, Arrays.stream(selection.keptVisual())).sorted().toArray())
        .containsExactly(IntStream.range(0, tokens).toArray());
    for (MergedToken token : selection.merged()) {
      double sum = 0;
      for (float weight : token.weights()) {
        sum += weight;
      }
      assertThat(sum).isCloseTo(1, within(1e-4));
    }
  }
}

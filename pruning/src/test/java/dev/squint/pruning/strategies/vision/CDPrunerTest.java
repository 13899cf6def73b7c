package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.squint.error.StrategyException;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.strategies.math.Models;
import dev.squint.pruning.strategies.math.Waves;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CDPrunerTest {

  private static final Expression FEATURES = Observe.featureSimilarity(Stage.PROJECTED);
  private static final Expression COSINES = Observe.embeddingSimilarity(Measure.COSINE);
  private static final Expression DOTS = Observe.embeddingSimilarity(Measure.DOT);

  @Test
  void readsFeaturesAndTheQuestion() {
    SitePlan plan = Models.onlySite(keep("paper", 0.5, 4));
    assertThat(plan.site()).isEqualTo(new Site.AfterVision());
    assertThat(plan.needs()).containsExactlyInAnyOrder(FEATURES, COSINES, DOTS);
    assertThat(plan.positions()).isEqualTo(PositionPolicy.COMPACTED);
    assertThat(Models.onlySite(keep("code", 0.5, 4)).needs())
        .containsExactlyInAnyOrder(FEATURES, COSINES);
  }

  @ParameterizedTest
  @CsvSource({"0.2222, 128", "0.1111, 64", "0.0556, 32"})
  void publishedCounts(double ratio, int count) {
    CDPruner strategy =
        new CDPruner("paper", 0.5, new Budget(ratio, OptionalInt.empty(), Scope.TILE));
    assertThat(Models.select(strategy, drawn(576), new int[] {24, 24}).size()).isEqualTo(count);
  }

  /** Expected sets: NumPy in double precision from the same embeddings, the formulas as printed. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          paper | 0.5 | 12 | 2 3 10 31 32 34 35 38 40 41 43 46
          weighted | 0.5 | 12 | 3 11 31 32 34 35 36 38 40 41 43 46
          weighted | 0.9 | 12 | 3 10 15 31 32 34 35 38 40 41 43 46
          code | 0.5 | 12 | 0 1 3 6 9 33 36 39 42 44 45 47
          openvino | 0.5 | 12 | 3 7 12 15 17 21 31 32 34 38 41 43
          openvino | 0.5 | 13 | 3 7 12 15 17 21 31 32 34 38 40 41 43
          openvino | 1.0 | 12 | 7 10 12 15 17 21 27 32 34 38 41 46
          """)
  void agreesWithNumPy(String rule, double weight, int count, String expected) {
    Selection selection =
        Models.select(keep(rule, weight, count), drawn(48), new int[] {6, 8}).requireFits(48);
    assertThat(selection.keptVisual())
        .containsExactly(Arrays.stream(expected.split(" ")).mapToInt(Integer::parseInt).toArray());
  }

  /** The question points at token 2; 0 and 1 repeat each other and are half as relevant. */
  @Test
  void relevanceFirstThenWhatIsNotYetSaid() {
    double[][] visual = {{1, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    double[][] text = {{0.5, 1, 0}};
    Map<Expression, Observation> seen = observe(visual, text);
    assertThat(select(seen, 1).keptVisual()).containsExactly(2);
    assertThat(select(seen, 2).keptVisual()).containsExactly(0, 2);
    assertThat(select(seen, 2).scores())
        .containsExactly(new float[] {0.5f, 0.5f, 1, 0}, within(1e-6f));
    // Token 1 adds nothing and token 3 is irrelevant: the more relevant of the two stays.
    assertThat(select(seen, 3).keptVisual()).containsExactly(0, 1, 2);
  }

  /** One long and one short text embedding: the mean points along the long one. */
  @Test
  void longerTextEmbeddingsWeighMore() {
    double[][] visual = {{1, 0}, {0, 1}};
    double[][] text = {{3, 0.1}, {0.1, 1}};
    assertThat(select(observe(visual, text), 1).keptVisual()).containsExactly(0);
    double[][] other = {{1, 0.1}, {0.1, 3}};
    assertThat(select(observe(visual, other), 1).keptVisual()).containsExactly(1);
  }

  @Test
  void withoutTextDiversityAloneDecides() {
    double[][] visual = {{1, 0}, {1, 0.01}, {0, 1}};
    Selection selection = select(observe(visual, new double[0][]), 2);
    assertThat(selection.keptVisual()).containsExactly(0, 2);
    assertThat(selection.notes())
        .containsExactly("no text stands after the image, so no token is more relevant");
  }

  @Test
  void authorsCodeTurnsRelevanceRound() {
    double[][] visual = {{1, 0}, {0.6, 0.8}, {0, 1}};
    double[][] text = {{1, 0}};
    Selection selection =
        Models.select(keep("code", 0.5, 1), observe(visual, text), new int[] {1, 3});
    assertThat(selection.keptVisual()).containsExactly(2);
  }

  /** Over all tiles in the authors' code, in each tile in the paper. */
  @Test
  void relevanceIsNormalisedPerTile() {
    double[][] visual = {{1, 0}, {0.8, 0.6}, {0.6, 0.8}, {0, 1}};
    double[][] text = {{1, 0}};
    Map<Expression, Observation> seen = observe(visual, text, 2);
    int[][] tiles = {{1, 2}, {1, 2}};
    assertThat(Models.select(keep("paper", 0.5, 1), seen, tiles).scores())
        .containsExactly(new float[] {1, 0, 1, 0}, within(1e-5f));
    assertThat(Models.select(keep("code", 0.5, 1), seen, tiles).scores())
        .containsExactly(new float[] {0, 0.2f, 0.4f, 1}, within(1e-5f));
  }

  @Test
  void oneSentencePerMistake() {
    assertThatThrownBy(() -> keep("weighted", 1, 4))
        .isInstanceOf(StrategyException.class)
        .hasMessage(
            "strategy 'cdpruner': weight=1 leaves no diversity to rule=weighted; choose a weight below 1");
    assertThatThrownBy(() -> keep("papers", 0.5, 4))
        .hasMessageStartingWith(
            "strategy 'cdpruner': rule=papers is not known; did you mean 'paper'?");
    assertThatThrownBy(() -> keep("openvino", 1.5, 4))
        .hasMessageStartingWith("strategy 'cdpruner': weight=1.5 is out of range");
  }

  private static CDPruner keep(String rule, double weight, int tokens) {
    return new CDPruner(rule, weight, new Budget(1, OptionalInt.of(tokens), Scope.TILE));
  }

  private static Selection select(Map<Expression, Observation> seen, int tokens) {
    int visual = seen.get(FEATURES).rows();
    return Models.select(keep("paper", 0.5, tokens), seen, new int[] {1, visual});
  }

  /** Embeddings given by a formula, so that another program can make the same. */
  private static Map<Expression, Observation> drawn(int tokens) {
    double[][] text = new double[5][24];
    for (int j = 0; j < 5; j++) {
      for (int k = 0; k < 24; k++) {
        text[j][k] = Math.cos(0.53 * (j + 1) * (k + 2)) * (1 + j);
      }
    }
    return observe(new Waves(tokens, 24, 0.37, 0.11).values(), text);
  }

  private static Map<Expression, Observation> observe(double[][] visual, double[][] text) {
    return observe(visual, text, visual.length);
  }

  private static Map<Expression, Observation> observe(
      double[][] visual, double[][] text, int tile) {
    float[] features = new float[visual.length * tile];
    float[] cosines = new float[text.length * visual.length];
    float[] dots = cosines.clone();
    for (int i = 0; i < visual.length; i++) {
      for (int j = 0; j < tile; j++) {
        features[i * tile + j] = cosine(visual[i], visual[i / tile * tile + j]);
      }
      for (int j = 0; j < text.length; j++) {
        cosines[j * visual.length + i] = cosine(visual[i], text[j]);
        dots[j * visual.length + i] = (float) dot(visual[i], text[j]);
      }
    }
    return Map.of(
        FEATURES, new Observation(visual.length, tile, features),
        COSINES, new Observation(text.length, visual.length, cosines),
        DOTS, new Observation(text.length, visual.length, dots));
  }

  private static float cosine(double[] one, double[] other) {
    return (float) (dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other)));
  }

  private static double dot(double[] one, double[] other) {
    double sum = 0;
    for (int k = 0; k < one.length; k++) {
      sum += one[k] * other[k];
    }
    return sum;
  }
}

package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.strategies.math.Models;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class MMTokTest {

  private static final Expression COSINES = Observe.embeddingSimilarity(Measure.COSINE);

  /** How far four tokens (rows) cover each other: two alike, two alone. */
  private static final float[] IMAGE = {
    0.5f, 0.4f, 0, 0, //
    0.4f, 0.5f, 0, 0, //
    0.1f, 0.1f, 0.9f, 0.1f, //
    0, 0, 0.1f, 0.9f
  };

  @Test
  void readsEmbeddingsAndFeatures() {
    MMTok strategy = (MMTok) Strategies.parse("mmtok");
    SitePlan plan = Models.onlySite(strategy);
    assertThat(plan.site()).isEqualTo(new Site.AfterVision());
    assertThat(plan.needs()).containsExactlyInAnyOrder(COSINES, image(strategy));
    assertThat(plan.positions()).isEqualTo(PositionPolicy.COMPACTED);
    assertThat(image(strategy).canonical())
        .isEqualTo(
            "transpose(softmax(div(matmul(normalise(before-projector.features[visual]),transpose(normalise(before-projector.features[visual]))),0.2)))");
    assertThat(plan.needs())
        .flatExtracting(need -> need.leaves().map(leaf -> leaf.place().kind()).toList())
        .contains(Place.Kind.BEFORE_PROJECTOR, Place.Kind.INPUT)
        .doesNotContain(Place.Kind.VISION);
  }

  /**
   * Without text: gains 0.9, 0.9, 1.2 and 1, so token 2; then 0 adds 0.4 + 0.3, as 1 does, and 3
   * adds 0.8; then 0 is before 1.
   */
  @Test
  void withoutTextTheImageIsCovered() {
    assertThat(keep(1, 1, new float[0][]).keptVisual()).containsExactly(2);
    assertThat(keep(1, 2, new float[0][]).keptVisual()).containsExactly(2, 3);
    assertThat(keep(1, 3, new float[0][]).keptVisual()).containsExactly(0, 2, 3);
    assertThat(keep(1, 3, new float[0][]).notes())
        .containsExactly("no text follows the image, so the image alone is covered");
  }

  /**
   * At temperature 0.02 a text is covered by next to nothing but its nearest token: two thirds by
   * token 0 and one third by 1. With the image's 0.9 / 4 they gain 0.89 and 0.56; 2 and 3 gain 0.3
   * and 0.25. After 0, token 1 adds 0.33 + 0.1 / 4, and then 2 is before 3.
   */
  @Test
  void theQuestionIsCoveredToo() {
    float[][] text = {{0.1f, 0.9f, 0, 0}, {0.8f, 0.1f, 0, 0}, {0.7f, 0, 0, 0}};
    assertThat(keep(1, 1, text).keptVisual()).containsExactly(0);
    assertThat(keep(1, 2, text).keptVisual()).containsExactly(0, 1);
    assertThat(keep(1, 3, text).keptVisual()).containsExactly(0, 1, 2);
    assertThat(keep(1, 3, text).notes()).isEmpty();
  }

  /** What is asked for twice weighs twice: 3 covers one of three texts, 2 two of them. */
  @Test
  void eachTextTokenWeighsAlike() {
    float[][] text = {{0, 0, 0.5f, 0}, {0, 0, 0, 0.9f}, {0, 0, 0.5f, 0}};
    assertThat(keep(0, 1, text).keptVisual()).containsExactly(2);
    assertThat(keep(0, 2, text).keptVisual()).containsExactly(2, 3);
  }

  /** At alpha 0 and once all texts are covered as far as can be, the lower index is first. */
  @Test
  void equalsGoByIndex() {
    assertThat(keep(0, 3, new float[][] {{0, 0, 0, 1}}).keptVisual()).containsExactly(0, 1, 3);
  }

  @Test
  void brokenNumbersCoverNothing() {
    float[][] text = {{Float.NaN, 0.2f, 0.1f, Float.POSITIVE_INFINITY}};
    assertThat(keep(0, 1, text).keptVisual()).containsExactly(1);
    float[][] none = {{Float.NaN, Float.NaN, Float.NaN, Float.NaN}};
    assertThat(keep(1, 1, none).keptVisual()).containsExactly(2);
  }

  @Test
  void eachTileIsCoveredByItsOwn() {
    MMTok strategy = new MMTok(1, 0.02, 0.2, new Budget(1, OptionalInt.of(1), Scope.TILE));
    float[] twice = new float[32];
    System.arraycopy(IMAGE, 0, twice, 0, 16);
    System.arraycopy(IMAGE, 0, twice, 16, 16);
    Observation text = new Observation(1, 8, new float[] {0.9f, 0, 0, 0, 0, 0.1f, 0, 0});
    assertThat(
            Models.select(
                    strategy,
                    Map.of(COSINES, text, image(strategy), new Observation(8, 4, twice)),
                    new int[] {1, 4},
                    new int[] {1, 4})
                .keptVisual())
        .containsExactly(0, 5);
  }

  @Test
  void temperatureZeroIsRefused() {
    for (String parameter : new String[] {"tv", "vv"}) {
      assertThatThrownBy(() -> Strategies.parse("mmtok:" + parameter + "=0"))
          .hasMessageContaining(parameter + "=0")
          .hasMessageContaining("a number of at least 0.001");
    }
  }

  private static Selection keep(double alpha, int count, float[][] text) {
    MMTok strategy = new MMTok(alpha, 0.02, 0.2, new Budget(1, OptionalInt.of(count), Scope.TILE));
    float[] cosines = new float[text.length * 4];
    for (int i = 0; i < text.length; i++) {
      System.arraycopy(text[i], 0, cosines, i * 4, 4);
    }
    return Models.select(
        strategy,
        Map.of(
            COSINES,
            new Observation(text.length, 4, cosines),
            image(strategy),
            new Observation(4, 4, IMAGE)),
        new int[] {1, 4});
  }

  private static Expression image(MMTok strategy) {
    return Models.onlySite(strategy).needs().stream()
        .filter(need -> !need.equals(COSINES))
        .findFirst()
        .orElseThrow();
  }
}

package dev.squint.pruning.strategies.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The strategies after the vision tower against NumPy in double precision, which follows the rules
 * on the vectors themselves: kept tokens, and the first component of every token that goes on, the
 * i-th counted i times. {@code fixtures/after_vision.py} prints the numbers.
 */
class AfterVisionParityTest {

  private static final int TOKENS = 144;
  private static final double[][] FEATURES = new Waves(TOKENS, 24, 0.37, 0.11).values();
  private static final Observation FEATURE_COSINES = new Waves(TOKENS, 24, 0.37, 0.11).cosines();
  private static final Observation KEY_COSINES = new Waves(TOKENS, 16, 0.29, 0.07).cosines();
  private static final double[][] ATTENTION = new Waves(3, TOKENS, 0.83, 0.05).values();

  /** Three vision layers run. */
  private static final ModelShape MODEL =
      new ModelShape(
          "waves",
          new DecoderShape(8, 128, 4, 2, 32, 256, 100),
          VisionShape.builder()
              .layers(3)
              .hidden(64)
              .heads(4)
              .intermediate(128)
              .grid(12, 12)
              .patchDim(588)
              .cls(true)
              .projectorHidden(128)
              .build(),
          TOKENS);

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "vtc-cls:tokens=20 | 0 6 10 21 30 35 44 45 46 66 79 91 93 118 119 127 132 136 139 142 | 56.3561",
        "visionzip:dominant=16,contextual=6 | 2 12 21 25 32 44 51 55 66 74 92 110 115 119 125 139 | 102.0859",
        "visionzip:dominant=16,contextual=6,merge=code | 2 12 21 25 32 44 51 55 66 74 92 110 115 119 125 139 | 136.9734",
        "vispruner:tokens=40 | 2 4 9 12 18 21 25 27 28 31 32 34 42 44 48 51 55 61 64 66 72 74 87 88 92 94 107 108 110 115 116 117 118 119 120 122 125 126 127 139 | 357.1210",
        "vispruner:tokens=31,important=0.25 | 0 2 5 9 11 12 20 21 25 30 32 44 55 61 65 66 84 102 104 106 108 110 119 120 122 125 128 130 136 139 143 | 233.1720",
        "prumerge:neighbours=9,rule=paper | 2 10 12 21 25 31 32 43 44 45 51 55 58 61 64 66 72 74 86 92 110 115 119 122 125 139 | 152.4586",
        "prumerge:neighbours=9,rule=code | 2 10 12 21 25 31 32 43 44 45 51 55 58 61 64 66 72 74 86 92 110 115 119 122 125 139 | 803782.4196",
        "prumerge-plus:tokens=9,neighbours=9,rule=paper | 0 5 10 15 20 21 25 30 32 35 40 44 45 50 55 60 65 70 75 80 85 90 95 100 105 110 115 119 120 125 130 135 139 140 | 204.0394",
        "prumerge-plus:tokens=9,neighbours=9,rule=code | 0 5 10 15 20 21 25 30 32 35 40 44 45 50 55 60 65 70 75 80 85 90 95 100 105 110 115 119 120 125 130 135 139 140 | 1295207.3178",
        "vscan:stage=1,tokens=40 | 0 2 12 19 21 25 27 31 32 35 44 45 46 47 48 51 55 61 62 66 72 74 78 85 86 92 95 100 110 115 118 119 122 123 125 133 138 139 140 142 | 358.3171",
        "vscan:stage=1,tokens=40,merge=after,rule=code | 0 2 12 19 21 25 27 31 32 35 44 45 46 51 55 61 62 66 72 74 78 85 86 92 95 100 110 115 118 119 122 123 125 133 138 139 | 271.6635",
        "tome:rounds=8,tokens=30 | 14 20 21 24 35 38 40 58 63 65 66 67 69 73 81 83 84 96 97 99 101 104 107 109 115 117 122 135 141 143 | 178.7026",
        "tome:rounds=8,tokens=30,sizes=off | 3 7 14 25 35 55 58 63 65 67 69 71 73 81 83 96 97 99 101 104 109 115 117 118 125 126 127 135 141 143 | 144.4076"
      })
  void agreesWithNumPy(String spec, String kept, double sum) {
    Strategy strategy = Strategies.parse(spec);
    assertThat(Strategies.parse(strategy.spec())).isEqualTo(strategy);
    SitePlan plan = strategy.plan(MODEL).get(0);
    Map<Expression, Observation> seen = new HashMap<>();
    plan.needs().forEach(need -> seen.put(need, observe(need)));
    SiteContext context = Models.context(plan.site(), 0, new int[] {12, 12});
    Selection selection = plan.decision().select(context, Observations.of(seen));
    assertThat(selection.keptVisual())
        .containsExactly(Arrays.stream(kept.split(" ")).mapToInt(Integer::parseInt).toArray());
    List<Double> tokens = new ArrayList<>();
    for (int token : selection.keptVisual()) {
      tokens.add(
          selection.merged().stream()
              .filter(merged -> merged.origin() == token)
              .findFirst()
              .map(AfterVisionParityTest::feature)
              .orElse(FEATURES[token][0]));
    }
    selection.added().forEach(added -> tokens.add(feature(added)));
    double total = 0;
    for (int i = 0; i < tokens.size(); i++) {
      total += (i + 1) * tokens.get(i);
    }
    assertThat(total).isCloseTo(sum, within(1e-5 * Math.max(100, Math.abs(sum))));
  }

  private static double feature(MergedToken token) {
    double sum = 0;
    for (int i = 0; i < token.sources().length; i++) {
      sum += token.weights()[i] * FEATURES[token.sources()[i]][0];
    }
    return sum;
  }

  private static Observation observe(Expression need) {
    Leaf leaf = need.leaves().findFirst().orElseThrow();
    if (leaf.tensor() == Leaf.Tensor.PROBABILITIES) {
      float[] row = new float[TOKENS];
      for (int i = 0; i < TOKENS; i++) {
        row[i] = (float) Math.exp(6 * ATTENTION[leaf.place().layer()][i]);
      }
      return new Observation(1, TOKENS, row);
    }
    return leaf.tensor() == Leaf.Tensor.K ? KEY_COSINES : FEATURE_COSINES;
  }
}

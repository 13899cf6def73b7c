package dev.squint.pruning.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.squint.pruning.TestModels;
import dev.squint.pruning.shape.DecoderShape;
import java.util.stream.DoubleStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link TokenBudget} and {@link FlopsFormula}. */
class TokenBudgetTest {

  private static final DecoderShape SEVEN = TestModels.llava().decoder();
  private static final DecoderShape THIRTEEN =
      new DecoderShape(40, 5120, 40, 40, 128, 13824, 32064);

  /** LLaVA-1.5's prompt of 576 visual and 36 other tokens. */
  private static final TokenBudget LLAVA = new TokenBudget(SEVEN, 576, 36);

  /** FastV, Table 1: FLOPs ratio of LLaVA-1.5 by K and R, in percent. */
  @ParameterizedTest
  @CsvSource({
    "7, 2, 0.90, 20",
    "7, 2, 0.75, 33",
    "7, 2, 0.50, 55",
    "7, 3, 0.90, 23",
    "7, 3, 0.75, 35",
    "7, 3, 0.50, 57",
    "7, 5, 0.90, 28",
    "7, 5, 0.75, 40",
    "7, 5, 0.50, 60",
    "13, 2, 0.90, 19",
    "13, 2, 0.50, 55",
    "13, 3, 0.90, 21",
    "13, 3, 0.75, 34",
    "13, 3, 0.50, 56",
  })
  void ratiosThatFastVPrints(int size, int k, double dropped, int percent) {
    TokenBudget budget = size == 7 ? LLAVA : new TokenBudget(THIRTEEN, 576, 36);
    double[] kept = {Math.rint(576 * (1 - dropped))};
    double ratio = budget.flops(FlopsFormula.FASTV, new int[] {k}, kept);
    assertThat(Math.rint(100 * ratio)).isEqualTo(percent);
  }

  /** PyramidDrop, inference FLOPs in T: LLaVA-1.5-7B 3.82 to 1.78, LLaVA-NeXT-7B 20.8 to 9.46. */
  @ParameterizedTest
  @CsvSource({"576, 3.82, 1.78, 0.01", "2880, 20.8, 9.46, 0.1"})
  void figuresThatPyramidDropPrints(int visual, double whole, double pruned, double rounding) {
    TokenBudget budget = new TokenBudget(SEVEN, visual, 0);
    double[] all = budget.perLayer(new int[0], new double[0]);
    double[] stages =
        budget.perLayer(
            new int[] {8, 16, 24}, new double[] {visual / 2.0, visual / 4.0, visual / 8.0});
    FlopsFormula formula = FlopsFormula.PYRAMIDDROP;
    assertThat(formula.prefill(SEVEN, all, 0) / 1e12).isEqualTo(whole, offset(rounding / 2));
    assertThat(formula.prefill(SEVEN, stages, 0) / 1e12).isEqualTo(pruned, offset(rounding / 2));
    assertThat(FlopsFormula.FASTERVLM.prefill(SEVEN, all, 7))
        .isEqualTo(2 * formula.prefill(SEVEN, all, 99));
  }

  @Test
  void textCountsWhereThePaperCountsIt() {
    double[] all = LLAVA.perLayer(new int[0], new double[0]);
    assertThat(FlopsFormula.SPARSEVLM.prefill(SEVEN, all, 36))
        .isGreaterThan(FlopsFormula.SPARSEVLM.prefill(SEVEN, all, 0));
    assertThat(FlopsFormula.SPARSEVLM.layer(SEVEN, 612))
        .isEqualTo(FlopsFormula.PYRAMIDDROP.layer(SEVEN, 612));
    assertThat(FlopsFormula.SPARSEVLM.layer(SEVEN, 612) - FlopsFormula.FASTV.layer(SEVEN, 612))
        .isEqualTo(612.0 * 4096 * 11008);
  }

  /** SparseVLM's budgets by name, and what really runs of 576 in 32 layers. */
  @ParameterizedTest
  @CsvSource({
    "309, 204, 113, 206.5",
    "312, 117, 39, 145.4",
    "249, 55, 27, 114.1",
    "82, 32, 18, 82.3"
  })
  void averagesOfWhatRuns(double first, double second, double third, double average) {
    assertThat(LLAVA.average(new int[] {3, 7, 16}, new double[] {first, second, third}))
        .isEqualTo(average, offset(0.05));
  }

  /** VScan: 96 from the start, 32 after layer 16, a mean of 64. */
  @Test
  void averageWithASiteBeforeTheDecoder() {
    assertThat(LLAVA.average(new int[] {0, 16}, new double[] {96, 32})).isEqualTo(64);
  }

  @Property
  void keepComesBackFromItsAverageAndFlops(@ForAll @DoubleRange(min = 0.05, max = 1) double keep) {
    int[] splits = {8, 16, 24};
    double[] kept = stages(keep);
    double average = LLAVA.average(splits, kept);
    assertThat(LLAVA.keepForAverage(splits, TokenBudgetTest::stages, average))
        .isEqualTo(keep, offset(1e-6));
    double share = LLAVA.flops(splits, stages(keep));
    double found = LLAVA.keepForFlops(splits, TokenBudgetTest::stages, share);
    assertThat(LLAVA.flops(splits, stages(found))).isEqualTo(share, offset(2e-3));
  }

  private static double[] stages(double keep) {
    return DoubleStream.of(keep, keep * keep, keep * keep * keep).map(k -> 576 * k).toArray();
  }

  @Test
  void exactCountIsThatOfTheModel() {
    int[] pruned = new int[32];
    java.util.Arrays.fill(pruned, 36 + 288);
    pruned[0] = 612;
    pruned[1] = 612;
    int[] whole = new int[32];
    java.util.Arrays.fill(whole, 612);
    assertThat(LLAVA.flops(new int[] {2}, new double[] {288}))
        .isEqualTo((double) FlopsModel.prefill(SEVEN, pruned) / FlopsModel.prefill(SEVEN, whole));
  }
}

package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import java.util.List;
import java.util.Set;

/**
 * PriorTR: keeps the visual tokens that the question raises most above what the model looks at
 * without one (Chen et al., "Accelerating Multimodal Large Language Models with Prior-Corrected
 * Token Reduction", ECCV 2026).
 *
 * <p>Read in layer k-1, heads averaged: the prior Q is the attention of the first text token after
 * the last visual token, a line break or an end mark, which under the causal mask cannot see a
 * question that follows; P is the mean attention of all text after the last visual token ({@code
 * query=question}, that first token included) or that of the last prompt token ({@code
 * query=last}). Each is divided by its sum over the visual tokens plus 1e-10, and a token's score
 * is {@code P log((P + 1e-10) / (Q + 1e-10))}. Layer k is the first that runs on the kept tokens,
 * with their original positions, and the choice stands for the whole answer. What is not finite
 * counts in no sum and ranks lowest.
 *
 * <p>This is the authors' code for LLaVA, which takes {@code question} for LLaVA-1.5 and {@code
 * last} for LLaVA-NeXT, and k=3 for decoders of 28, 32 and 36 layers alike. Its budget of 192, 128
 * or 64 tokens is that of layers k and above, as {@code tokens} is here; its ratio is rounded down,
 * here {@code rint(N * keep)} tokens stay. Its code for Qwen2-VL leaves the last prompt token out
 * of {@code question}. Of several images it takes one; here all visual tokens are ranked together,
 * and the first token after the last of them is no prior of what was asked before it. With fewer
 * than two text tokens after the image there is no prior, and the attention of the last prompt
 * token ranks alone, as in FastV.
 *
 * @param k the first decoder layer that runs pruned, counted from 0; at least 1
 * @param query {@code question} or {@code last}
 * @param budget how many visual tokens stay, by default a third, counted over all of the request
 */
public record PriorTR(int k, String query, Budget budget) implements DescribedStrategy {

  private static final String QUESTION = "question";
  private static final double EPSILON = 1e-10;
  private static final Parameter<Integer> K =
      Parameter.whole("k", 3, 1, "first decoder layer that runs pruned");
  private static final Type TYPE = new Type();

  public PriorTR {
    TYPE.check(k, query, budget);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    model.decoder().requireSplit(name(), K.name(), k);
    boolean whole = query.equals(QUESTION);
    Expression text =
        Observe.textToVisualAttention(
            k - 1, whole ? Rows.TEXT_AFTER_VISUAL : Rows.FIRST_AFTER_VISUAL);
    Expression last = Observe.textToVisualAttention(k - 1, Rows.LAST);
    return List.of(
        new SitePlan(
            new Site.BeforeLayer(k),
            Set.of(text, last),
            PositionPolicy.ORIGINAL,
            (context, seen) -> select(seen.get(text), seen.get(last).row(0), context)));
  }

  private Selection select(Observation text, float[] last, SiteContext context) {
    if (context.positions().text().length < 2) {
      return budget
          .top(context, last)
          .withNote("no question follows the image, so the last prompt token's attention ranks");
    }
    float[] task = query.equals(QUESTION) ? mean(text) : last;
    return budget.top(context, scores(task, text.row(0)));
  }

  private static float[] mean(Observation rows) {
    float[] row = new float[rows.columns()];
    double[] sums = new double[rows.columns()];
    for (int query = 0; query < rows.rows(); query++) {
      rows.copyRow(query, row);
      for (int i = 0; i < row.length; i++) {
        sums[i] += row[i];
      }
    }
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) (sums[i] / rows.rows());
    }
    return row;
  }

  private static float[] scores(float[] task, float[] prior) {
    double allTask = sum(task) + EPSILON;
    double allPrior = sum(prior) + EPSILON;
    float[] scores = new float[task.length];
    for (int i = 0; i < scores.length; i++) {
      double p = task[i] / allTask;
      double q = prior[i] / allPrior;
      double score = p * StrictMath.log((p + EPSILON) / (q + EPSILON));
      scores[i] = Double.isFinite(score) ? (float) score : Float.NaN;
    }
    return scores;
  }

  private static double sum(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += Float.isFinite(value) ? value : 0;
    }
    return sum;
  }

  /** The descriptor of {@link PriorTR}, for the service loader. */
  public static final class Type extends StrategyType<PriorTR> {

    public Type() {
      super(
          PriorTR.class,
          "priortr",
          "keeps the visual tokens that the question raises most above the model's prior",
          "Chen et al., Prior-Corrected Token Reduction, ECCV 2026",
          K,
          Parameter.choice("query", List.of(QUESTION, "last"), "whose attention is the question's"),
          Budget.Parameters.of(0.3333, Scope.REQUEST));
    }
  }
}

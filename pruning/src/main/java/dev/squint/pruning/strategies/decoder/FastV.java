package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import java.util.List;
import java.util.Set;

/**
 * FastV: drops the visual tokens that the last prompt token attends to least (Chen et al., "An
 * Image is Worth 1/2 Tokens After Layer 2: Plug-and-Play Inference Acceleration for Large
 * Vision-Language Models", ECCV 2024).
 *
 * <p>Layers 0..k-1 run on all tokens. A visual token's score is the attention that the last prompt
 * token pays to it in layer k-1, averaged over heads. Layer k is the first that runs on the kept
 * tokens, with their original positions, and the choice stands for the whole answer. Where the
 * paper averages over all queries, this follows the authors' code, which reads the last row. The
 * paper's R is the share dropped: {@code keep = 1 - R}, and {@code rint(N * keep)} tokens stay.
 *
 * <p>The authors published several codes, which choose alike for the first token of an answer. The
 * first one, that of their figures, has no KV cache: it masks the other tokens or takes them out,
 * and chooses anew at each generated token. Their fork of transformers does so too without a KV
 * cache; with one it chooses once, in the prefill, and their README says that this departs from the
 * first code. Here the choice is made once, as in that mode of the fork.
 *
 * @param k the first decoder layer that runs pruned, counted from 0; at least 1
 * @param budget how many visual tokens stay, by default counted over all of the request
 */
public record FastV(int k, Budget budget) implements DescribedStrategy {

  private static final Parameter<Integer> K =
      Parameter.whole("k", 2, 1, "first decoder layer that runs pruned");
  private static final Budget.Parameters BUDGET = Budget.Parameters.of(0.5, Scope.REQUEST);
  private static final Type TYPE = new Type();

  public FastV {
    TYPE.check(k, budget);
  }

  /**
   * With a budget by ratio.
   *
   * @param k the first decoder layer that runs pruned
   * @param keep retention ratio, above 0 and at most 1
   */
  public FastV(int k, double keep) {
    this(k, BUDGET.keeping(TYPE.name(), keep));
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    model.decoder().requireSplit(name(), K.name(), k);
    Expression attention = Observe.textToVisualAttention(k - 1, Rows.LAST);
    return List.of(
        new SitePlan(
            new Site.BeforeLayer(k),
            Set.of(attention),
            PositionPolicy.ORIGINAL,
            (context, observations) -> budget.top(context, observations.get(attention).row(0))));
  }

  /** The descriptor of {@link FastV}, for the service loader. */
  public static final class Type extends StrategyType<FastV> {

    public Type() {
      super(
          FastV.class,
          "fastv",
          "keeps the visual tokens that the last prompt token attends to most in layer k-1",
          "Chen et al., An Image is Worth 1/2 Tokens After Layer 2, ECCV 2024",
          K,
          BUDGET);
    }
  }
}

package dev.squint.pruning.strategies.vision;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import java.util.List;
import java.util.Set;

/**
 * FasterVLM: drops the visual tokens that the vision tower's [CLS] token attends to least (Zhang et
 * al., "[CLS] Attention is All You Need for Training-Free Visual Token Pruning: Make VLM Inference
 * Faster", 2024).
 *
 * <p>A visual token's score is the attention that [CLS] pays to it in the layer the features come
 * from, averaged over heads; that is the last layer which runs, as in the authors' code, where the
 * paper speaks of the encoder's output layer. {@code rint(N * keep)} tokens stay of each image,
 * tile or frame, in spatial order, and the decoder sees only those, at compacted positions.
 *
 * <p>Towers without a [CLS] token (SigLIP and the like) are scored by the attention that each token
 * receives there, averaged over queries and heads; the trace says which of the two it was.
 *
 * @param budget how many visual tokens stay, by default of each tile or frame
 */
public record FasterVLM(Budget budget) implements DescribedStrategy {

  private static final Budget.Parameters BUDGET = Budget.Parameters.of(0.5, Scope.TILE);
  private static final Type TYPE = new Type();

  public FasterVLM {
    TYPE.check(budget);
  }

  /**
   * With a budget by ratio.
   *
   * @param keep retention ratio, above 0 and at most 1
   */
  public FasterVLM(double keep) {
    this(BUDGET.keeping(TYPE.name(), keep));
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Expression attention = VisionAttention.inLast(model.vision());
    return List.of(
        new SitePlan(
            new Site.AfterVision(),
            Set.of(attention),
            PositionPolicy.COMPACTED,
            (context, observations) -> budget.top(context, observations.get(attention).row(0))));
  }

  /** The descriptor of {@link FasterVLM}, for the service loader. */
  public static final class Type extends StrategyType<FasterVLM> {

    public Type() {
      super(
          FasterVLM.class,
          "fastervlm",
          "keeps the visual tokens that the vision tower's [CLS] token attends to most",
          "Zhang et al., [CLS] Attention is All You Need, 2024",
          BUDGET);
    }
  }
}

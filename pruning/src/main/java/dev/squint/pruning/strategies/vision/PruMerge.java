package dev.squint.pruning.strategies.vision;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Component;
import dev.squint.pruning.spec.Parameter;
import java.util.List;
import java.util.OptionalInt;

/**
 * PruMerge: keeps the visual tokens whose [CLS] attention stands out and merges the others into
 * them (Shang et al., "LLaVA-PruMerge: Adaptive Token Reduction for Efficient Large Multimodal
 * Models", ICCV 2025).
 *
 * <p>Important are the tokens of a tile whose attention of [CLS], in the last vision layer that
 * runs, is an outlier: above {@code Q3 + 1.5 (Q3 - Q1)} of the tile's attention (quartiles with
 * linear interpolation). So a plain image keeps fewer than a busy one; at least one stays. Each is
 * the centre of a cluster: itself and the {@code neighbours} other tokens, important ones included,
 * whose keys in that layer are most similar (cosine, the heads side by side). Its feature becomes
 * the mean of the cluster weighted by attention, before the projector. Tokens in no cluster are
 * lost; one may be in several.
 *
 * <p>The paper names its merging a weighted average; the authors' code ({@code rule=code}) adds the
 * neighbours' features times their attention, not normalised, to the whole centre, and one token
 * more, the sum of all that are not important times their attention. Further differences that no
 * variant here repeats: the code reads layer 23 of CLIP, which exported models do not run, as one
 * head as wide as the layer; the paper reads the penultimate layer, as is done here, with the heads
 * averaged. The paper multiplies keys where the code and this compare by cosine. The code hands on
 * tokens by descending attention, this in spatial order, the extra token last. The 32 neighbours of
 * 576 tokens are the code's; the paper prints no number. Attention that is not a positive number
 * weighs nothing. Towers without a [CLS] token are read by the attention that each token receives.
 *
 * <p><b>PruMerge+</b> ({@code plus}) has evenly spread tokens next to the important ones. With m
 * important tokens among the N of a tile, every s-th in row-major order stays too, from the first
 * on, {@code s = max(1, N / m / 3)}, each division rounded down: about three times as many again, a
 * quarter of all on average. They are centres of clusters like the important ones. The paper asks
 * for spatially uniform tokens whose density follows that of the important ones, and prints no
 * formula; the spacing is that of the authors' code, which under {@code rule=code} never takes the
 * last token of a tile for this. With a fixed ratio instead of outliers, in training, the code
 * spaces them otherwise; here {@code tokens} changes m alone.
 *
 * @param plus whether it is PruMerge+
 * @param tokens number of important tokens per tile or frame; empty for those that stand out
 * @param neighbours how many tokens are merged into each that stays; empty for 32 of 576, in
 *     proportion to the tokens of the tile
 * @param rule {@code paper} for the weighted mean, {@code code} for the code's sum and extra token
 */
public record PruMerge(boolean plus, OptionalInt tokens, OptionalInt neighbours, String rule)
    implements DescribedStrategy {

  private static final String PAPER =
      "Shang et al., LLaVA-PruMerge: Adaptive Token Reduction, ICCV 2025";
  private static final Parameter<OptionalInt> TOKENS =
      Parameter.count("tokens", "important tokens per tile; unset, those that stand out");
  private static final Parameter<OptionalInt> NEIGHBOURS =
      Parameter.count("neighbours", "tokens merged into each that stays; unset 32 of 576");
  private static final Parameter<String> RULE =
      Parameter.choice(
          "rule", List.of("paper", "code"), "weighted mean, or the code's sum and extra token");
  private static final Type TYPE = new Type();
  private static final Plus PLUS = new Plus();

  public PruMerge {
    type(plus).check(plus, tokens, neighbours, rule);
  }

  /**
   * The paper's rule with as many tokens as stand out.
   *
   * @param plus whether evenly spread tokens are centres too
   */
  public PruMerge(boolean plus) {
    this(plus, OptionalInt.empty(), OptionalInt.empty(), "paper");
  }

  private static StrategyType<PruMerge> type(boolean plus) {
    return plus ? PLUS : TYPE;
  }

  @Override
  public StrategyType<PruMerge> type() {
    return type(plus);
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    return new PruMerging(plus, tokens, neighbours, rule).plan(model);
  }

  /** The descriptor of {@link PruMerge} without evenly spread tokens, for the service loader. */
  public static final class Type extends StrategyType<PruMerge> {

    public Type() {
      super(
          PruMerge.class,
          "prumerge",
          "keeps visual tokens whose [CLS] attention stands out and merges similar ones into them",
          PAPER,
          Component.fixed("plus", false),
          TOKENS,
          NEIGHBOURS,
          RULE);
    }
  }

  /** The descriptor of {@link PruMerge} with evenly spread tokens, for the service loader. */
  public static final class Plus extends StrategyType<PruMerge> {

    public Plus() {
      super(
          PruMerge.class,
          "prumerge-plus",
          "PruMerge with evenly spread visual tokens next to those that stand out",
          PAPER,
          Component.fixed("plus", true),
          TOKENS,
          NEIGHBOURS,
          RULE);
    }
  }
}

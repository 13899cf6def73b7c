package dev.squint.pruning.strategies;

import dev.squint.pruning.ModelFacts;
import dev.squint.pruning.SitePlan;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.StrategyProvider;
import java.util.List;
import java.util.OptionalInt;

/**
 * PruMerge+: {@link PruMerge} with evenly spread tokens beside the important ones (Shang et al.,
 * "LLaVA-PruMerge: Adaptive Token Reduction for Efficient Large Multimodal Models", ICCV 2025).
 *
 * <p>With m important tokens among the N of a tile, every s-th in row-major order stays too, from
 * the first on, {@code s = max(1, N / m / 3)}, each division rounded down: about three times as
 * many again, a quarter of all on average. They are centres of clusters like the important ones.
 *
 * <p>The paper asks for spatially uniform tokens whose density follows that of the important ones,
 * and prints no formula; the spacing is that of the authors' code, which under {@code rule=code}
 * never takes the last token of a tile for this. With a fixed ratio instead of outliers, in
 * training, the code spaces them otherwise; here {@code tokens} changes m alone. All else, {@code
 * rule=code} included, is as in {@link PruMerge}.
 *
 * @param tokens number of important tokens per tile or frame; empty for those that stand out
 * @param neighbours how many tokens are merged into each that stays; empty for 32 of 576, in
 *     proportion to the tokens of the tile
 * @param rule {@code paper} for the weighted mean, {@code code} for the code's sum and extra token
 */
public record PruMergePlus(OptionalInt tokens, OptionalInt neighbours, String rule)
    implements Strategy {

  private static final String NAME = "prumerge-plus";

  /** Checks the values. */
  public PruMergePlus {
    rules(tokens, neighbours, rule);
  }

  /** The paper's rule with as many tokens as stand out. */
  public PruMergePlus() {
    this(OptionalInt.empty(), OptionalInt.empty(), PruMerging.RULE.words().get(0));
  }

  private static PruMerging rules(OptionalInt tokens, OptionalInt neighbours, String rule) {
    return new PruMerging(NAME, true, tokens, neighbours, rule);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String spec() {
    return rules(tokens, neighbours, rule).spec();
  }

  @Override
  public List<SitePlan> plan(ModelFacts model) {
    return rules(tokens, neighbours, rule).plan(model);
  }

  /** Makes {@link PruMergePlus}. */
  public static final class Provider extends StrategyProvider {

    /** For the service loader. */
    public Provider() {
      super(
          NAME,
          "PruMerge with evenly spread visual tokens beside those that stand out",
          "Shang et al., LLaVA-PruMerge: Adaptive Token Reduction, ICCV 2025",
          List.of(PruMerging.TOKENS, PruMerging.NEIGHBOURS, PruMerging.RULE),
          given ->
              new PruMergePlus(
                  given.get(PruMerging.TOKENS),
                  given.get(PruMerging.NEIGHBOURS),
                  given.get(PruMerging.RULE)));
    }
  }
}

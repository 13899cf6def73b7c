package dev.squint.pruning.strategies;

import dev.squint.pruning.ModelFacts;
import dev.squint.pruning.SitePlan;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.StrategyProvider;
import java.util.List;
import java.util.OptionalInt;

/**
 * PruMerge: keeps the visual tokens whose [CLS] attention stands out and merges the others into
 * them (Shang et al., "LLaVA-PruMerge: Adaptive Token Reduction for Efficient Large Multimodal
 * Models", ICCV 2025).
 *
 * <p>Important are the tokens of a tile whose attention of [CLS], in the last vision layer that
 * runs, is an outlier: above {@code Q3 + 1.5 (Q3 - Q1)} of the tile's attention (quartiles with
 * linear interpolation). So a plain picture keeps fewer than a busy one; at least one stays. Each
 * is the centre of a cluster: itself and the {@code neighbours} other tokens, important ones
 * included, whose keys in that layer are most similar (cosine, the heads side by side). Its feature
 * becomes the mean of the cluster weighted by attention, before the projector. Tokens in no cluster
 * are lost; one may be in several.
 *
 * <p>The paper names its merging a weighted average; the authors' code ({@code rule=code}) adds the
 * neighbours' features times their attention, not normalised, to the whole centre, and one token
 * more, the sum of all that are not important times their attention. Further differences that no
 * variant here repeats: the code reads layer 23 of CLIP, which exported models do not run, as one
 * head as wide as the layer; the paper reads the penultimate layer, as is done here, with the heads
 * averaged. The paper multiplies keys where the code and this compare by cosine. The code hands on
 * tokens by falling attention, this in spatial order, the extra token last. The 32 neighbours of
 * 576 tokens are the code's; the paper prints no number. Attention that is not a positive number
 * weighs nothing. Towers without a [CLS] token are read by the attention that each token receives.
 *
 * @param tokens number of important tokens per tile or frame; empty for those that stand out
 * @param neighbours how many tokens are merged into each that stays; empty for 32 of 576, in
 *     proportion to the tokens of the tile
 * @param rule {@code paper} for the weighted mean, {@code code} for the code's sum and extra token
 */
public record PruMerge(OptionalInt tokens, OptionalInt neighbours, String rule)
    implements Strategy {

  private static final String NAME = "prumerge";

  /** Checks the values. */
  public PruMerge {
    rules(tokens, neighbours, rule);
  }

  /** The paper's rule with as many tokens as stand out. */
  public PruMerge() {
    this(OptionalInt.empty(), OptionalInt.empty(), PruMerging.RULE.words().get(0));
  }

  private static PruMerging rules(OptionalInt tokens, OptionalInt neighbours, String rule) {
    return new PruMerging(NAME, false, tokens, neighbours, rule);
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

  /** Makes {@link PruMerge}. */
  public static final class Provider extends StrategyProvider {

    /** For the service loader. */
    public Provider() {
      super(
          NAME,
          "keeps visual tokens whose [CLS] attention stands out and merges similar ones into them",
          "Shang et al., LLaVA-PruMerge: Adaptive Token Reduction, ICCV 2025",
          List.of(PruMerging.TOKENS, PruMerging.NEIGHBOURS, PruMerging.RULE),
          given ->
              new PruMerge(
                  given.get(PruMerging.TOKENS),
                  given.get(PruMerging.NEIGHBOURS),
                  given.get(PruMerging.RULE)));
    }
  }
}

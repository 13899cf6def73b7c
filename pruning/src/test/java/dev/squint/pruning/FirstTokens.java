package dev.squint.pruning;

import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.spec.Retention;
import java.util.List;
import java.util.Set;

public record FirstTokens(double keep) implements DescribedStrategy {

  private static final Type TYPE = new Type();

  public FirstTokens {
    TYPE.check(keep);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    return List.of(
        new SitePlan(new Site.AfterVision(), Set.of(), PositionPolicy.COMPACTED, this::select));
  }

  private Selection select(SiteContext context, Observations observations) {
    float[] scores = new float[context.visualTokens()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = -i;
    }
    return Selection.top(scores, Retention.count(scores.length, keep));
  }

  public static final class Type extends StrategyType<FirstTokens> {

    public Type() {
      super(
          FirstTokens.class,
          "first",
          "keeps the first visual tokens",
          "baseline",
          Parameter.ratio("keep", 0.5, "share of visual tokens kept"));
    }
  }
}

package dev.squint.pruning;

import java.util.List;
import java.util.Set;

public record FirstTokens(double keep) implements Strategy {

  private static final Parameter.Ratio KEEP =
      new Parameter.Ratio("keep", 0.5, "share of visual tokens kept");

  public FirstTokens {
    KEEP.check("first", keep);
  }

  @Override
  public String name() {
    return "first";
  }

  @Override
  public String spec() {
    return "first:keep=" + keep;
  }

  @Override
  public List<SitePlan> plan(ModelFacts model) {
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

  public static final class Provider extends StrategyProvider {

    public Provider() {
      super(
          "first",
          "keeps the first visual tokens",
          "baseline",
          List.of(KEEP),
          given -> new FirstTokens(given.get(KEEP)));
    }
  }
}

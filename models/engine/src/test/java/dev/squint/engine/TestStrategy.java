package dev.squint.engine;

import dev.squint.pruning.Strategy;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/** Strategies as bare as the contract allows. */
public record TestStrategy(String name, List<SitePlan> sites) implements Strategy {

  public static TestStrategy none() {
    return new TestStrategy("none", List.of());
  }

  /** Keeps given tokens before a layer; before layer 0 it acts right after the vision encoder. */
  public static TestStrategy fixed(int layer, PositionPolicy positions, int... kept) {
    Site site = layer == 0 ? new Site.AfterVision() : new Site.BeforeLayer(layer);
    return new TestStrategy(
        "fixed",
        List.of(
            new SitePlan(site, Set.of(), positions, (c, o) -> new Selection(kept, new float[0]))));
  }

  /** Keeps the tokens that the last prompt token attends to most in the layer before. */
  public static TestStrategy fastV(int layer, int keep) {
    Expression need = Observe.textToVisualAttention(layer - 1, Rows.LAST);
    return new TestStrategy("fastv", List.of(topBy(new Site.BeforeLayer(layer), need, keep)));
  }

  /** Keeps all tokens and takes its time to decide so. */
  public static TestStrategy slow(Duration decision) {
    return new TestStrategy(
        "slow",
        List.of(
            new SitePlan(
                new Site.BeforeLayer(1),
                Set.of(),
                PositionPolicy.ORIGINAL,
                (context, observations) -> {
                  LockSupport.parkNanos(decision.toNanos());
                  return new Selection(
                      IntStream.range(0, context.visualTokens()).toArray(), new float[0]);
                })));
  }

  /** Keeps the tokens that [CLS] attends to most. */
  public static TestStrategy byCls(int visionLayer, int keep) {
    Expression need = Observe.clsAttention(visionLayer);
    return new TestStrategy("cls", List.of(topBy(new Site.AfterVision(), need, keep)));
  }

  public static SitePlan topBy(Site site, Expression need, int keep) {
    return new SitePlan(
        site,
        Set.of(need),
        site instanceof Site.AfterVision ? PositionPolicy.COMPACTED : PositionPolicy.ORIGINAL,
        (context, observations) -> {
          Observation seen = observations.get(need);
          return new Selection(
              top(seen.values(), Math.min(keep, context.visualTokens())), seen.values());
        });
  }

  private static int[] top(float[] scores, int keep) {
    return IntStream.range(0, scores.length)
        .boxed()
        .sorted((a, b) -> Float.compare(scores[b], scores[a]))
        .limit(keep)
        .mapToInt(Integer::intValue)
        .sorted()
        .toArray();
  }

  @Override
  public String spec() {
    return name + Arrays.toString(sites.stream().map(SitePlan::site).toArray());
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    return sites;
  }
}

package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.schedules.Schedule;
import dev.squint.pruning.schedules.TopP;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * ZipVL's layer-adaptive ratio: each site keeps as few visual tokens as hold a share of the
 * attention there (He et al., "ZipVL: Efficient Large Vision-Language Models with Dynamic Token
 * Sparsification", 2024).
 *
 * <p>Probe rows are the text tokens after the image, in layer k-1, heads averaged; a visual token's
 * score is the sum of its column (without text after the image: the last row). The paper's probe is
 * a mix of recent and random rows whose number it leaves open, over all tokens; its normalisation
 * by the number of rows that see a token changes nothing here, as all of these rows see the whole
 * image. In the paper tokens that are not important are left out of one layer's attention and kept
 * in the cache at few bits; here they leave for good. For its cache see {@code kv-quant}. Original
 * positions.
 *
 * @param tau share of the attention, above 0 and at most 1
 * @param layers the first layers that run pruned; empty for 2, 8, 16 and 24 of 32, scaled
 */
public record ZipVl(double tau, List<Integer> layers) implements DescribedStrategy {

  private static final Type TYPE = new Type();

  public ZipVl {
    TYPE.check(tau, layers);
    layers = List.copyOf(layers);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    List<SitePlan> sites = new ArrayList<>();
    for (int k : model.decoder().requireSplits(name(), layers, 2, 8, 16, 24)) {
      Expression text = Observe.textToVisualAttention(k - 1, Rows.TEXT_AFTER_VISUAL);
      Expression last = Observe.textToVisualAttention(k - 1, Rows.LAST);
      sites.add(
          new SitePlan(
              new Site.BeforeLayer(k),
              Set.of(text, last),
              PositionPolicy.ORIGINAL,
              (context, observations) -> select(text, last, observations)));
    }
    return List.copyOf(sites);
  }

  private Selection select(Expression text, Expression last, Observations observations) {
    Observation rows = observations.get(text);
    float[] scores = rows.rows() == 0 ? observations.get(last).row(0) : sums(rows);
    Schedule.Step step = new Schedule.Step(0, 0, 0, scores.length, scores, new float[0][]);
    return Selection.top(scores, step.kept(new TopP(tau)));
  }

  private static float[] sums(Observation rows) {
    float[] sums = new float[rows.columns()];
    for (int row = 0; row < rows.rows(); row++) {
      for (int column = 0; column < sums.length; column++) {
        sums[column] += rows.at(row, column);
      }
    }
    return sums;
  }

  /** The descriptor of {@link ZipVl}, for the service loader. */
  public static final class Type extends StrategyType<ZipVl> {

    public Type() {
      super(
          ZipVl.class,
          "zipvl",
          "keeps at each site as few visual tokens as hold a share of the text's attention",
          "He et al., ZipVL, 2024",
          Parameter.ratio("tau", 0.975, "share of the text's attention that is kept"),
          Parameter.layers(
              "layers", "first layers that run pruned; unset 2/8/16/24 of 32, scaled"));
    }
  }
}

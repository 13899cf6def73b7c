package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Ranking;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * SparseVLM+, the second version in SparseVLM's code: no recycling, original positions, and
 * attention corrected for what distance alone does to it (Zhang et al., "SparseVLM: Visual Token
 * Sparsification for Efficient Vision-Language Model Inference", ICML 2025, and its repository).
 *
 * <p>Raters are those of {@link SparseVlm}'s code. The attention of rater i to visual token j in
 * layer k-1, head by head, is divided by {@code g(i, j) = 2 / sqrt(D) * sum_f cos((p_i - p_j)
 * w_f)}: what rotary positions alone give a query and a key of ones, D being the head width, p
 * positions and {@code w_f = theta^(-2f / D)}. A g within 1e-6 of zero counts as 1e-6 with its
 * sign; the code does not guard it. The heads with the largest sum over raters and visual tokens
 * are averaged, 14 of them whatever the model (all, if there are fewer), and then the raters. The
 * counts are the table of the code, scaled to the N tokens that entered the decoder: {@code rint(c
 * N / 576)}, at most one less than are alive. There is no other rule in the paper for it. Without
 * text after the image the last prompt token rates, uncorrected and with all heads averaged.
 *
 * @param table 192, 128, 96 or 64: row of the table, which states averages for 576 tokens
 * @param heads how many heads are averaged, at least 1
 * @param layers the first layers that run pruned; empty for 3, 7 and 16 of 32, scaled
 */
public record SparseVlmPlus(String table, int heads, List<Integer> layers)
    implements DescribedStrategy {

  private static final double LEAST = 1e-6;
  private static final Expression DOTS = Observe.embeddingSimilarity(Measure.DOT);
  private static final Type TYPE = new Type();

  public SparseVlmPlus {
    TYPE.check(table, heads, layers);
    layers = List.copyOf(layers);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    List<SitePlan> sites = new ArrayList<>();
    for (int k : model.decoder().requireSplits(name(), layers, 3, 7, 16)) {
      var text = Observe.textToVisualAttention(k - 1, Rows.TEXT_AFTER_VISUAL, Heads.EACH);
      var last = Observe.textToVisualAttention(k - 1, Rows.LAST);
      int site = sites.size();
      sites.add(
          new SitePlan(
              new Site.BeforeLayer(k),
              Set.of(DOTS, text, last),
              PositionPolicy.ORIGINAL,
              (context, observations) ->
                  Selection.top(
                      scores(model, context, observations, text, last), count(context, site))));
    }
    return List.copyOf(sites);
  }

  private int count(SiteContext context, int site) {
    int wanted = SparseVlmTable.PLUS.count(table, site, context.enteredDecoder());
    return Math.max(1, Math.min(wanted, context.visualTokens() - 1));
  }

  private float[] scores(
      ModelShape model,
      SiteContext context,
      Observations observations,
      Expression text,
      Expression last) {
    Observation maps = observations.get(text);
    int rows = context.positions().text().length;
    if (rows == 0) {
      return observations.get(last).row(0);
    }
    int[] raters = TextRaters.of(observations.get(DOTS), true);
    float[][] factors = factors(model, context, raters);
    int total = maps.rows() / rows;
    float[][] perHead = new float[total][context.visualTokens()];
    float[] sums = new float[total];
    float[] row = new float[context.visualTokens()];
    for (int head = 0; head < total; head++) {
      for (int i = 0; i < raters.length; i++) {
        maps.copyRow(head * rows + raters[i], row);
        addProducts(perHead[head], row, factors[i]);
      }
      for (float value : perHead[head]) {
        sums[head] += value;
      }
    }
    int[] best = Arrays.copyOf(Ranking.descending(sums), Math.min(heads, total));
    float[] scores = new float[context.visualTokens()];
    for (int head : best) {
      for (int j = 0; j < scores.length; j++) {
        scores[j] += perHead[head][j] / (best.length * raters.length);
      }
    }
    return scores;
  }

  private static void addProducts(float[] sums, float[] row, float[] factors) {
    for (int j = 0; j < sums.length; j++) {
      sums[j] += row[j] * factors[j];
    }
  }

  /** For each rater and visual token the inverse of what distance alone gives. */
  private static float[][] factors(ModelShape model, SiteContext context, int[] raters) {
    int[] visual = context.positions().visual();
    int[] text = context.positions().text();
    int[] distances =
        Arrays.stream(raters)
            .flatMap(rater -> Arrays.stream(visual).map(token -> Math.abs(text[rater] - token)))
            .toArray();
    float[] byDistance = byDistance(model, Arrays.stream(distances).max().orElse(0));
    float[][] factors = new float[raters.length][visual.length];
    for (int i = 0; i < raters.length; i++) {
      for (int j = 0; j < visual.length; j++) {
        factors[i][j] = byDistance[distances[i * visual.length + j]];
      }
    }
    return factors;
  }

  private static float[] byDistance(ModelShape model, int longest) {
    int width = model.decoder().headDim();
    double[] sums = new double[longest + 1];
    for (int f = 0; f < width / 2; f++) {
      double frequency = Math.pow(model.ropeTheta(), -2.0 * f / width);
      for (int distance = 0; distance <= longest; distance++) {
        sums[distance] += Math.cos(distance * frequency);
      }
    }
    float[] factors = new float[longest + 1];
    for (int distance = 0; distance <= longest; distance++) {
      double g = 2 / Math.sqrt(width) * sums[distance];
      factors[distance] = (float) (1 / (Math.abs(g) < LEAST ? Math.copySign(LEAST, g) : g));
    }
    return factors;
  }

  /** The descriptor of {@link SparseVlmPlus}, for the service loader. */
  public static final class Type extends StrategyType<SparseVlmPlus> {

    public Type() {
      super(
          SparseVlmPlus.class,
          "sparsevlm-plus",
          "like sparsevlm, with attention corrected for distance and the most watchful heads",
          "Zhang et al., SparseVLM, ICML 2025, version 2 of its code",
          Parameter.choice("table", SparseVlmTable.BUDGETS, "row of the table, for 576 tokens"),
          Parameter.whole("heads", 14, 1, "heads that are averaged"),
          Parameter.layers("layers", "first layers that run pruned; unset 3/7/16 of 32, scaled"));
    }
  }
}

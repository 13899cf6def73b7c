package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.schedules.MatrixRank;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Ranking;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.strategies.math.DensityPeaks;
import dev.squint.pruning.strategies.math.DensityPeaks.Join;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * SparseVLM: text tokens that the image speaks to rate the visual tokens layer by layer; of those
 * that leave, the better ones are recycled as cluster centres (Zhang et al., "SparseVLM: Visual
 * Token Sparsification for Efficient Vision-Language Model Inference", ICML 2025).
 *
 * <p><b>Raters</b> are chosen once, on the embeddings that enter the decoder ({@link TextRaters});
 * without text after the image the last prompt token rates. <b>Score</b>: the attention that the
 * raters pay to a visual token in layer k-1, averaged over heads and raters. <b>How many</b> stay
 * of v tokens alive:
 *
 * <ul>
 *   <li>{@code count=rank}: {@code lambda (v - rank)} leave, rounded, but never the last one; rank
 *       is that of the raters' attention to the visual tokens; none leaves if it is v. This is the
 *       paper's rule; it does not publish lambda, and 0.5 is ours (of 576 it keeps about what the
 *       code's table for 192 does).
 *   <li>{@code count=scaled}: {@code floor(rank * scale + bias)} stay, at most v - 1, and all of
 *       them if the rank is v; the code's first release (October 2024), with a scale and a bias
 *       that are the same at each of its four sites: 13.5 and 0 for 192 tokens, 9 and 6 for 128,
 *       0.8 and 0 for 64. Recycled tokens come on top.
 *   <li>{@code count=table}: fixed counts, those of the code's version 1.5 for 192, 128 or 64
 *       tokens of 576 ({@code table}), and for 96 those that version 2 added to them; scaled to the
 *       N tokens that entered the decoder: {@code rint(c N / 576)}, at most v - 1. The name of a
 *       budget is the code's average, which counts the layers after which tokens leave as pruned
 *       and leaves recycled tokens out; the trace has what really ran.
 * </ul>
 *
 * <p><b>Where</b>: before layers 3, 7 and 16 of 32, as the code since version 1.5, which lets
 * layers 2, 6 and 15 run in full and prunes what leaves them; the first release prunes after layer
 * 19 too, so {@code count=scaled} has a fourth site before layer 20. {@code layers} sets others.
 *
 * <p><b>Recycling</b>: of the d tokens that leave, the {@code floor(tau d) + 1} with the highest
 * scores form {@code floor(theta r) + 1} clusters around density peaks ({@link DensityPeaks}) of
 * the hidden states that enter layer k; each cluster becomes one token after those kept. In the
 * paper ({@code rule=paper}) tokens join by cosine and the new token is the sum of its members; the
 * code ({@code rule=code}) joins by distance and takes the mean, and a rater has to exceed the mean
 * relevance where the paper lets it be equal. The paper does not give tau and theta; 0.3 and 0.1,
 * each with one more, are the code's. The code adds noise to the density; here equal densities go
 * by index, so runs repeat. Positions are compacted at each site, as in the code.
 *
 * @param rule {@code paper} or {@code code}
 * @param count {@code rank}, {@code scaled} or {@code table}
 * @param lambda share of the tokens above the rank that leave, from 0 to 1; for {@code rank}
 * @param scale factor of the rank; for {@code scaled}
 * @param bias what is added to it; for {@code scaled}
 * @param table 192, 128, 96 or 64; for {@code table}
 * @param recycle {@code on} or {@code off}
 * @param tau share of the dropped tokens that is recycled, from 0 to 1
 * @param theta clusters per recycled token, from 0 to 1
 * @param layers the first layers that run pruned; empty for 3, 7 and 16 of 32, scaled to the depth
 *     of the model, and with {@code count=scaled} 20 too
 */
public record SparseVlm(
    String rule,
    String count,
    double lambda,
    double scale,
    double bias,
    String table,
    String recycle,
    double tau,
    double theta,
    List<Integer> layers)
    implements DescribedStrategy {

  private static final String CODE = "code";
  private static final int[] SPLITS = {3, 7, 16};
  private static final int[] SPLITS_OF_FIRST_RELEASE = {3, 7, 16, 20};
  private static final Expression DOTS = Observe.embeddingSimilarity(Measure.DOT);
  private static final Type TYPE = new Type();

  public SparseVlm {
    TYPE.check(rule, count, lambda, scale, bias, table, recycle, tau, theta, layers);
    layers = List.copyOf(layers);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  private boolean recycles() {
    return recycle.equals("on");
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    List<SitePlan> sites = new ArrayList<>();
    int[] splits = count.equals("scaled") ? SPLITS_OF_FIRST_RELEASE : SPLITS;
    for (int k : model.decoder().requireSplits(name(), layers, splits)) {
      Look look =
          new Look(
              Observe.textToVisualAttention(k - 1, Rows.TEXT_AFTER_VISUAL),
              Observe.textToVisualAttention(k - 1, Rows.LAST),
              Observe.hiddenStates(k),
              sites.size());
      Set<Expression> needs = new HashSet<>(Set.of(DOTS, look.text, look.last));
      if (recycles()) {
        needs.add(look.states);
      }
      sites.add(
          new SitePlan(
              new Site.BeforeLayer(k),
              needs,
              PositionPolicy.COMPACTED,
              recycles(),
              (context, observations) -> select(look, context, observations)));
    }
    return List.copyOf(sites);
  }

  /** What is looked at before a layer. */
  private record Look(Expression text, Expression last, Expression states, int site) {}

  private Selection select(Look look, SiteContext context, Observations observations) {
    float[][] attention = raters(look, observations);
    float[] scores = new float[context.visualTokens()];
    for (float[] row : attention) {
      for (int i = 0; i < scores.length; i++) {
        scores[i] += row[i] / attention.length;
      }
    }
    int kept = kept(attention, context, look.site);
    Selection selection = Selection.top(scores, kept);
    return recycles() && kept < scores.length
        ? selection.withMerged(recycled(selection, observations.get(look.states)))
        : selection;
  }

  private float[][] raters(Look look, Observations observations) {
    Observation text = observations.get(look.text);
    if (text.rows() == 0) {
      return new float[][] {observations.get(look.last).row(0)};
    }
    int[] raters = TextRaters.of(observations.get(DOTS), rule.equals(CODE));
    return Arrays.stream(raters).mapToObj(text::row).toArray(float[][]::new);
  }

  private int kept(float[][] attention, SiteContext context, int site) {
    int alive = context.visualTokens();
    if (count.equals("table")) {
      int wanted = SparseVlmTable.FIRST.count(table, site, context.enteredDecoder());
      return Math.max(1, Math.min(wanted, alive - 1));
    }
    int rank = MatrixRank.of(attention);
    if (rank == alive) {
      return alive;
    }
    return count.equals("rank")
        ? Math.max(1, alive - (int) Math.rint(lambda * (alive - rank)))
        : Math.max(1, Math.min((int) (rank * scale + bias), alive - 1));
  }

  private List<MergedToken> recycled(Selection selection, Observation states) {
    float[] scores = selection.scores();
    int[] dropped =
        IntStream.range(0, scores.length).filter(token -> !selection.keeps(token)).toArray();
    float[] left = new float[dropped.length];
    for (int i = 0; i < left.length; i++) {
      left[i] = scores[dropped[i]];
    }
    int used = Math.min(dropped.length, (int) (tau * dropped.length) + 1);
    int clusters = Math.min(used, (int) (theta * used) + 1);
    int[] tokens =
        Arrays.stream(Arrays.copyOf(Ranking.descending(left), used)).map(i -> dropped[i]).toArray();
    boolean sums = !rule.equals(CODE);
    DensityPeaks joined =
        DensityPeaks.of(states, tokens, clusters, sums ? Join.COSINE : Join.DISTANCE);
    List<MergedToken> merged = new ArrayList<>();
    for (int cluster = 0; cluster < clusters; cluster++) {
      int[] sources = Arrays.stream(joined.members(cluster)).map(i -> tokens[i]).toArray();
      float[] weights = new float[sources.length];
      Arrays.fill(weights, sums ? 1 : 1f / sources.length);
      merged.add(new MergedToken(tokens[joined.centres()[cluster]], sources, weights));
    }
    return merged;
  }

  /** The descriptor of {@link SparseVlm}, for the service loader. */
  public static final class Type extends StrategyType<SparseVlm> {

    public Type() {
      super(
          SparseVlm.class,
          "sparsevlm",
          "lets the text tokens that the image speaks to rate visual tokens, and recycles some",
          "Zhang et al., SparseVLM, ICML 2025",
          Parameter.choice("rule", List.of("paper", CODE), "who rates and how clusters merge"),
          Parameter.choice("count", List.of("rank", "scaled", "table"), "how many tokens stay"),
          Parameter.number("lambda", 0.5, 0, 1, "share dropped of the tokens above the rank"),
          Parameter.number("scale", 13.5, 0, Double.POSITIVE_INFINITY, "factor of the rank"),
          Parameter.number("bias", 0, 0, Double.POSITIVE_INFINITY, "tokens on top of the rank's"),
          Parameter.choice("table", SparseVlmTable.BUDGETS, "row of the table, for 576 tokens"),
          Parameter.choice("recycle", List.of("on", "off"), "whether dropped tokens are merged"),
          Parameter.number("tau", 0.3, 0, 1, "share of the dropped tokens that is recycled"),
          Parameter.number("theta", 0.1, 0, 1, "clusters per recycled token"),
          Parameter.layers(
              "layers",
              "first layers that run pruned; unset 3/7/16 of 32 (count=scaled: 3/7/16/20), scaled"));
    }

    @Override
    protected boolean writes(SparseVlm strategy, String component) {
      return switch (component) {
        case "lambda" -> strategy.count.equals("rank");
        case "scale", "bias" -> strategy.count.equals("scaled");
        case "table" -> strategy.count.equals("table");
        case "tau", "theta" -> strategy.recycles();
        default -> true;
      };
    }
  }
}

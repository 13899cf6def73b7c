package dev.squint.pruning.strategies.vision;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Component;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.strategies.math.HighestOfRow;
import dev.squint.pruning.strategies.math.NearestAssignment;
import dev.squint.pruning.strategies.math.ParallelRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

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
    Expression attention = VisionAttention.inLast(model.vision());
    Expression keys = Observe.keySimilarity(model.vision().lastWholeLayer(), Heads.EACH);
    return List.of(
        MergingSite.plan(
            model.vision(),
            Set.of(attention, keys),
            (context, seen) -> select(context, seen.get(attention).row(0), seen.get(keys))));
  }

  private Selection select(SiteContext context, float[] attention, Observation keys) {
    int[] kept = new int[attention.length];
    int size = 0;
    int plain = 0;
    List<MergedToken> merged = new ArrayList<>();
    List<Scope.Group> tiles = Scope.TILE.groups(context);
    for (Scope.Group tile : tiles) {
      float[] scores = Arrays.copyOfRange(attention, tile.from(), tile.to());
      int outliers =
          tokens.isPresent() ? Math.min(tokens.getAsInt(), scores.length) : outliers(scores);
      plain += outliers == 0 ? 1 : 0;
      int[] centres = centres(scores, Math.max(1, outliers));
      for (int centre : centres) {
        kept[size++] = tile.from() + centre;
      }
      if (centres.length < tile.size()) {
        merge(scores, tile, keys, centres, merged);
      }
    }
    Selection selection = new Selection(Arrays.copyOf(kept, size), attention).withMerged(merged);
    return plain > 0
        ? selection.withNote(
            "attention stands out nowhere in %d of %d tiles, so the highest alone is important there"
                .formatted(plain, tiles.size()))
        : new Budget(1, tokens, Scope.TILE).noted(selection, tiles);
  }

  /** Counts the scores above the third quartile by more than 1.5 times the interquartile range. */
  private static int outliers(float[] scores) {
    float[] sorted = new float[scores.length];
    int numbers = 0;
    for (float score : scores) {
      if (Float.isFinite(score)) {
        sorted[numbers++] = score;
      }
    }
    Arrays.sort(sorted, 0, numbers);
    double third = quantile(sorted, numbers, 0.75);
    double bound = third + 1.5 * (third - quantile(sorted, numbers, 0.25));
    int count = 0;
    for (float score : scores) {
      if (score > bound) {
        count++;
      }
    }
    return count;
  }

  private static double quantile(float[] sorted, int numbers, double share) {
    if (numbers == 0) {
      return Double.NaN;
    }
    double place = share * (numbers - 1);
    int below = (int) place;
    double least = sorted[below];
    return below + 1 < numbers ? least + (place - below) * (sorted[below + 1] - least) : least;
  }

  /** The important tokens and those spread evenly, ascending. */
  private int[] centres(float[] scores, int important) {
    int[] top = Selection.top(scores, important).keptVisual();
    if (!plus) {
      return top;
    }
    boolean[] chosen = new boolean[scores.length];
    for (int token : top) {
      chosen[token] = true;
    }
    int stride = Math.max(1, scores.length / important / 3);
    int end = rule.equals("code") ? scores.length - 1 : scores.length;
    for (int token = 0; token < end; token += stride) {
      chosen[token] = true;
    }
    int[] centres = new int[scores.length];
    int size = 0;
    for (int token = 0; token < chosen.length; token++) {
      if (chosen[token]) {
        centres[size++] = token;
      }
    }
    return Arrays.copyOf(centres, size);
  }

  private void merge(
      float[] scores, Scope.Group tile, Observation keys, int[] centres, List<MergedToken> merged) {
    boolean code = rule.equals("code");
    int usual = Math.max(1, (int) Math.rint(scores.length * 32 / 576.0));
    int wanted = Math.min(neighbours.orElse(usual), scores.length - 1);
    Sum[] sums = new Sum[centres.length];
    ParallelRows.each(
        0,
        centres.length,
        (from, to) -> {
          float[] row = new float[scores.length];
          HighestOfRow nearest = new HighestOfRow(wanted, row.length);
          for (int i = from; i < to; i++) {
            int centre = centres[i];
            keys.copyRow(tile.from() + centre, 0, row.length, row);
            row[centre] = Float.NaN;
            sums[i] = new Sum(wanted + 1);
            sums[i].add(tile.from() + centre, code ? 1 : scores[centre]);
            for (int token : nearest.of(row)) {
              sums[i].add(tile.from() + token, scores[token]);
            }
          }
        });
    for (int i = 0; i < sums.length; i++) {
      sums[i].addTo(merged, tile.from() + centres[i], code ? 1 : sums[i].total);
    }
    if (code) {
      Sum left = new Sum(scores.length);
      int origin = -1;
      for (int token : NearestAssignment.others(centres, scores.length)) {
        left.add(tile.from() + token, scores[token]);
        origin = origin < 0 || scores[token] > scores[origin] ? token : origin;
      }
      left.addTo(merged, tile.from() + origin, 1);
    }
  }

  /** A weighted sum of tokens; what is not a positive number weighs nothing. */
  private static final class Sum {

    private final int[] sources;
    private final float[] weights;
    private int size;
    private double total;

    private Sum(int room) {
      sources = new int[room];
      weights = new float[room];
    }

    private void add(int source, float weight) {
      if (weight > 0 && weight < Float.POSITIVE_INFINITY) {
        sources[size] = source;
        weights[size++] = weight;
        total += weight;
      }
    }

    /** Makes it a token, unless it is empty or the origin as it is. */
    private void addTo(List<MergedToken> merged, int origin, double divisor) {
      float[] scaled = Arrays.copyOf(weights, size);
      for (int i = 0; i < size; i++) {
        scaled[i] = (float) (scaled[i] / divisor);
      }
      boolean origins = size == 1 && sources[0] == origin && scaled[0] == 1;
      if (size > 0 && !origins) {
        merged.add(new MergedToken(origin, Arrays.copyOf(sources, size), scaled));
      }
    }
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

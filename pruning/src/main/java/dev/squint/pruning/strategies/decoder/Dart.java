package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.strategies.math.PythonSetOrder;
import dev.squint.pruning.strategies.math.VectorRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * DART: keeps a few pivot tokens and the visual tokens that repeat them least (Wen et al., "Stop
 * Looking for 'Important Tokens' in Multimodal Language Models: Duplication Matters More", 2025).
 *
 * <p>Layers 0..k-1 run on all tokens. Pivots are the visual tokens, and the text tokens after the
 * image, whose keys in layer k-1 (rotary positions applied, KV heads side by side) have the largest
 * L1 norm. Pivot by pivot, of the visual tokens not yet taken those stay whose cosine with the
 * pivot is lowest, on the hidden states that enter layer k, passed through the norm after the last
 * layer. Visual pivots stay, text pivots are only probes. Layer k is the first that runs on the
 * kept tokens, with their original positions. No attention is read.
 *
 * <p>The order of the pivots matters, since later ones choose from what earlier ones left, and the
 * paper gives none. With {@code rule=paper} they take turns by descending norm, the visual ones
 * first. The authors' code and a port in LightCompress walk a Python set of their places in the
 * prompt. In CPython that is an order, though one that means nothing: for eight pivots by their
 * place modulo 32 (another power of two for other numbers of them), the stronger pivot first where
 * two would stand at the same place. {@code rule=code} walks in that order, with the rotary ids as
 * places; where two pivots share an id, by descending norm. Among equal norms the lower index is
 * first, a norm that is not a number is the smallest and such a cosine the highest.
 *
 * <ul>
 *   <li>{@code rule=paper}: each pivot's threshold on the cosine is set "dynamically by the
 *       reduction ratio", so that {@code rint(N * keep)} tokens stay: what is left next to the
 *       visual pivots is divided evenly among all pivots, the first ones taking one more where it
 *       does not come out even.
 *   <li>{@code rule=code}: each of p pivots takes {@code floor(N * keep / p)}, or {@code
 *       floor(tokens / p)}, and the visual pivots come on top: of 576, 124 for a ratio of 0.2222,
 *       and 132 for {@code tokens=128}, as in the authors' scripts for LLaVA-1.5.
 * </ul>
 *
 * <p>The paper and the authors' scripts prune after the second layer (k=2); the port has k=5. With
 * fewer text tokens than asked for, all of them are pivots.
 *
 * @param rule {@code paper} or {@code code}
 * @param k the first decoder layer that runs pruned, counted from 0; at least 1
 * @param visual number of visual pivots, at least 1
 * @param text number of text pivots
 * @param budget how many visual tokens stay, by default counted over all of the request
 */
public record Dart(String rule, int k, int visual, int text, Budget budget)
    implements DescribedStrategy {

  private static final String CODE = "code";
  private static final Parameter<Integer> K =
      Parameter.whole("k", 2, 1, "first decoder layer that runs pruned");
  private static final Parameter<Integer> VISUAL =
      Parameter.whole("visual", 4, 1, "number of visual pivots");
  private static final Type TYPE = new Type();

  public Dart {
    TYPE.check(rule, k, visual, text, budget);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    model.decoder().requireSplit(name(), K.name(), k);
    return List.of(
        new SitePlan(
            new Site.BeforeLayer(k),
            Set.of(
                keys(Rows.VISUAL),
                keys(Rows.TEXT_AFTER_VISUAL),
                states(Rows.VISUAL),
                states(Rows.TEXT_AFTER_VISUAL)),
            PositionPolicy.ORIGINAL,
            this::deduplicate));
  }

  private Expression keys(Rows tokens) {
    return Observe.keys(k - 1, tokens);
  }

  private Expression states(Rows tokens) {
    return Observe.hiddenStates(k, tokens, true);
  }

  private Selection deduplicate(SiteContext context, Observations observations) {
    VectorRows visualKeys = new VectorRows(observations.get(keys(Rows.VISUAL)));
    VectorRows textKeys = new VectorRows(observations.get(keys(Rows.TEXT_AFTER_VISUAL)));
    VectorRows patches = new VectorRows(observations.get(states(Rows.VISUAL)));
    VectorRows words = new VectorRows(observations.get(states(Rows.TEXT_AFTER_VISUAL)));
    float[] norms = visualKeys.magnitudes();
    float[] textNorms = textKeys.magnitudes();
    List<Pivot> probes = new ArrayList<>();
    for (int word : largest(textNorms, 0, textNorms.length, text)) {
      probes.add(Pivot.of(words, word, context.positions().text()));
    }
    boolean[] kept = new boolean[norms.length];
    List<Scope.Group> groups = budget.scope().groups(context);
    for (Scope.Group group : groups) {
      int count = budget.count(group.size());
      if (count == group.size()) {
        Arrays.fill(kept, group.from(), group.to(), true);
        continue;
      }
      List<Pivot> pivots = new ArrayList<>();
      for (int pivot : largest(norms, group.from(), group.to(), Math.min(visual, count))) {
        kept[pivot] = true;
        pivots.add(Pivot.of(patches, pivot, context.positions().visual()));
      }
      int left = count - pivots.size();
      pivots.addAll(probes);
      List<VectorRows.Row> turns = inTurn(pivots).stream().map(Pivot::state).toList();
      float[][] cosines = patches.cosines(group.from(), group.to(), turns);
      for (int i = 0; i < cosines.length; i++) {
        take(cosines[i], share(i, cosines.length, left, group.size()), group.from(), kept);
      }
    }
    int[] indices = IntStream.range(0, kept.length).filter(token -> kept[token]).toArray();
    return budget.noted(Selection.of(indices), groups);
  }

  /**
   * A token that others are compared with.
   *
   * @param state its hidden state
   * @param place in the prompt, -1 if that is not known
   */
  private record Pivot(VectorRows.Row state, int place) {

    private static Pivot of(VectorRows states, int token, int[] places) {
      return new Pivot(states.row(token), token < places.length ? places[token] : -1);
    }
  }

  /** The pivots, given by descending norm, in the order in which they take tokens. */
  private List<Pivot> inTurn(List<Pivot> pivots) {
    Map<Integer, Pivot> byPlace = new HashMap<>();
    pivots.forEach(pivot -> byPlace.put(pivot.place, pivot));
    if (!rule.equals(CODE) || byPlace.containsKey(-1) || byPlace.size() < pivots.size()) {
      return pivots;
    }
    int[] places = pivots.stream().mapToInt(Pivot::place).toArray();
    return Arrays.stream(PythonSetOrder.of(places)).mapToObj(byPlace::get).toList();
  }

  /** How many tokens a pivot takes. */
  private int share(int pivot, int pivots, int left, int tokens) {
    if (rule.equals(CODE)) {
      double wanted =
          budget.tokens().isPresent() ? budget.tokens().getAsInt() : tokens * budget.keep();
      return (int) (wanted / pivots);
    }
    return left / pivots + (pivot < left % pivots ? 1 : 0);
  }

  /** Keeps those not yet kept that are least like a pivot. */
  private static void take(float[] cosines, int wanted, int from, boolean[] kept) {
    float[] unlike = new float[cosines.length];
    int free = 0;
    for (int i = 0; i < unlike.length; i++) {
      if (kept[from + i]) {
        unlike[i] = Float.NaN;
      } else {
        unlike[i] = Float.isFinite(cosines[i]) ? -cosines[i] : -Float.MAX_VALUE;
        free++;
      }
    }
    for (int index : Selection.top(unlike, Math.min(wanted, free)).keptVisual()) {
      kept[from + index] = true;
    }
  }

  /** Indices of the largest values between two places, the largest first. */
  private static int[] largest(float[] values, int from, int to, int count) {
    int[] indices = new int[Math.min(count, to - from)];
    boolean[] found = new boolean[to - from];
    for (int i = 0; i < indices.length; i++) {
      int largest = -1;
      for (int j = from; j < to; j++) {
        if (!found[j - from]
            && (largest < 0
                || values[j] > values[largest]
                || Float.isNaN(values[largest]) && !Float.isNaN(values[j]))) {
          largest = j;
        }
      }
      found[largest - from] = true;
      indices[i] = largest;
    }
    return indices;
  }

  /** The descriptor of {@link Dart}, for the service loader. */
  public static final class Type extends StrategyType<Dart> {

    public Type() {
      super(
          Dart.class,
          "dart",
          "keeps a few pivots and the visual tokens that repeat them least",
          "Wen et al., Stop Looking for Important Tokens, 2025",
          Parameter.choice("rule", List.of("paper", CODE), "how tokens are shared among pivots"),
          K,
          VISUAL,
          Parameter.whole("text", 4, 0, "number of text pivots"),
          Budget.Parameters.of(0.2222, Scope.REQUEST));
    }
  }
}

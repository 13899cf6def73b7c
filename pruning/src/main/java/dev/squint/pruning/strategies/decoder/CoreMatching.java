package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.strategies.math.Elbow;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The token part of CoreMatching: visual tokens stay that share many of the sentence's core neurons
 * (Wang et al., "CoreMatching: A Co-adaptive Sparse Inference Framework with Token and Neuron
 * Pruning for Comprehensive Acceleration of Vision-Language Models", ICML 2025).
 *
 * <p>A token's core neurons are those of the feed-forward of layer k-1 that it activates most; the
 * sentence's are those that are core to the most tokens ({@link Observe#coreNeurons}). A visual
 * token stays if it shares at least as many with the sentence as the elbow of the counts ({@link
 * Elbow}), so how many stay follows from the image. Where all counts are equal all stay.
 *
 * <p>In the paper the tokens leave in the prefill, as here. The authors' code compares with {@code
 * >} ({@code rule=code}), takes the neurons of one token for the sentence, and only sets the cached
 * keys and values of the others to zero, so that the first token answered does not change; that is
 * not offered, and neither is the paper's neuron part, which would need a feed-forward that skips
 * neurons. The code works in layers 5 to 18 of 32; here it acts once, after layer 5. The defaults
 * of rho and beta are ours.
 *
 * @param rule {@code paper} or {@code code}
 * @param rho share of the neurons that are core to a token, above 0 and at most 1
 * @param beta share of the neurons that are core to the sentence, above 0 and at most 1
 * @param layers the first layers that run pruned; empty for 6 of 32, scaled
 */
public record CoreMatching(String rule, double rho, double beta, List<Integer> layers)
    implements DescribedStrategy {

  private static final String CODE = "code";
  private static final Type TYPE = new Type();

  public CoreMatching {
    TYPE.check(rule, rho, beta, layers);
    layers = List.copyOf(layers);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    List<SitePlan> sites = new ArrayList<>();
    for (int k : model.decoder().requireSplits(name(), layers, 6)) {
      Expression shared = Observe.coreNeurons(k - 1, rho, beta);
      sites.add(
          new SitePlan(
              new Site.BeforeLayer(k),
              Set.of(shared),
              PositionPolicy.ORIGINAL,
              (context, observations) -> match(observations.get(shared).row(0))));
    }
    return List.copyOf(sites);
  }

  private Selection match(float[] counts) {
    float elbow = Elbow.of(counts);
    int[] kept =
        IntStream.range(0, counts.length)
            .filter(i -> rule.equals(CODE) ? counts[i] > elbow : counts[i] >= elbow)
            .toArray();
    return kept.length == 0
        ? new Selection(Selection.all(counts.length).keptVisual(), counts)
        : new Selection(kept, counts);
  }

  /** The descriptor of {@link CoreMatching}, for the service loader. */
  public static final class Type extends StrategyType<CoreMatching> {

    public Type() {
      super(
          CoreMatching.class,
          "corematching",
          "keeps the visual tokens that activate the neurons the sentence activates",
          "Wang et al., CoreMatching, ICML 2025",
          Parameter.choice("rule", List.of("paper", CODE), "whether the elbow itself stays"),
          Parameter.ratio("rho", 0.4, "share of neurons core to a token"),
          Parameter.ratio("beta", 0.2, "share of neurons core to the sentence"),
          Parameter.layers("layers", "first layers that run pruned; unset 6 of 32, scaled"));
    }
  }
}

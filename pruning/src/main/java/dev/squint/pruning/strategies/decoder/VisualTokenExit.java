package dev.squint.pruning.strategies.decoder;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.cache.ExitRule;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Component;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.spec.ParsedParameters;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Dynamic visual-token exit: before the first of some layers where text has taken what it needs
 * from the image, all visual tokens leave (Wu et al., "Accelerating Multimodal Large Language
 * Models via Dynamic Visual-Token Exit and the Empirical Findings", 2024, DyVTE).
 *
 * <p>DyVTE decides by gates that it trains for every layer, which this library cannot; the rule is
 * a hook ({@link ExitRule}). Two rules without training come with it: {@code rule=attention} exits
 * before layer k once the attention that the last prompt token pays to all visual tokens together
 * in layer k-1, averaged over heads, is below a share, and {@code rule=fixed} before the first of
 * the layers. The share and the layers where it is looked at are ours. Positions are the original
 * ones.
 *
 * @param rule when tokens leave
 * @param layers layers before which they may; empty for 8, 12, 16, 20, 24 and 28 of 32, scaled
 */
public record VisualTokenExit(ExitRule rule, List<Integer> layers) implements DescribedStrategy {

  private static final String ATTENTION = "attention";
  private static final Parameter<String> RULE =
      Parameter.choice("rule", List.of(ATTENTION, "fixed"), "when all visual tokens leave");
  private static final Parameter<Double> BELOW =
      Parameter.ratio("below", 0.1, "attention to the image at which it is left behind");
  private static final Type TYPE = new Type();

  public VisualTokenExit {
    TYPE.check(rule, layers);
    layers = List.copyOf(layers);
  }

  /**
   * Exits once the last prompt token pays little attention to the image.
   *
   * @param share sum of its attention to all visual tokens, heads averaged, above 0 and at most 1
   */
  public record AttentionBelow(double share) implements ExitRule {

    public AttentionBelow {
      BELOW.check(TYPE.name(), share);
    }

    @Override
    public Set<Expression> needs(int layer) {
      return Set.of(attention(layer));
    }

    private static Expression attention(int layer) {
      return Observe.textToVisualAttention(layer - 1, Rows.LAST);
    }

    @Override
    public boolean exits(int layer, Observations seen) {
      Observation row = seen.get(attention(layer));
      double sum = 0;
      for (int token = 0; token < row.columns(); token++) {
        sum += row.at(0, token);
      }
      return sum < share;
    }

    @Override
    public String toString() {
      return "rule=attention,below=" + share;
    }
  }

  /** Exits at the first opportunity. */
  public record Fixed() implements ExitRule {

    @Override
    public Set<Expression> needs(int layer) {
      return Set.of();
    }

    @Override
    public boolean exits(int layer, Observations seen) {
      return true;
    }

    @Override
    public String toString() {
      return "rule=fixed";
    }
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    List<SitePlan> sites = new ArrayList<>();
    for (int k : model.decoder().requireSplits(name(), layers, 8, 12, 16, 20, 24, 28)) {
      sites.add(
          new SitePlan(
              new Site.BeforeLayer(k),
              rule.needs(k),
              PositionPolicy.ORIGINAL,
              (context, seen) ->
                  rule.exits(k, seen)
                      ? Selection.of(new int[0])
                      : Selection.all(context.visualTokens())));
    }
    return List.copyOf(rule instanceof Fixed ? sites.subList(0, 1) : sites);
  }

  /** The rules a spec can ask for; others write themselves. */
  private static final class Rules implements Component<ExitRule> {

    @Override
    public String name() {
      return RULE.name();
    }

    @Override
    public List<Parameter<?>> parameters() {
      return List.of(RULE, BELOW);
    }

    @Override
    public ExitRule read(ParsedParameters given) {
      return given.get(RULE).equals(ATTENTION) ? new AttentionBelow(given.get(BELOW)) : new Fixed();
    }

    @Override
    public List<String> write(ExitRule rule) {
      return List.of(rule.toString());
    }
  }

  /** The descriptor of {@link VisualTokenExit}, for the service loader. */
  public static final class Type extends StrategyType<VisualTokenExit> {

    public Type() {
      super(
          VisualTokenExit.class,
          "exit",
          "lets all visual tokens leave once the last prompt token hardly attends to them",
          "Wu et al., Dynamic Visual-Token Exit, 2024; without its trained gates",
          new Rules(),
          Parameter.layers(
              "layers",
              "layers before which tokens may leave; unset 8/12/16/20/24/28 of 32, scaled"));
    }
  }
}

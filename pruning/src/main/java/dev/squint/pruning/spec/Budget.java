package dev.squint.pruning.spec;

import dev.squint.error.StrategyException;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.TopK;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * How many visual tokens stay, and over which of them that is counted.
 *
 * @param keep retention ratio, above 0 and at most 1
 * @param tokens number of tokens, which wins over the ratio where it is given
 * @param scope what the budget is for: the request, or each image, tile or frame
 */
public record Budget(double keep, OptionalInt tokens, Scope scope) {

  /** Checks the ratio. */
  public Budget {
    Retention.count(1, keep);
    Objects.requireNonNull(scope, "scope");
    if (tokens.isPresent() && tokens.getAsInt() < 1) {
      throw new StrategyException(
          "tokens=" + tokens.getAsInt() + " is out of range; choose a whole number of at least 1");
    }
  }

  /**
   * The parameters that set a budget, by default a ratio over the first scope.
   *
   * @param keep the retention ratio
   * @param tokens the number of tokens
   * @param per the scope
   */
  public record Parameters(
      Parameter<Double> keep, Parameter<OptionalInt> tokens, Parameter<Scope> per)
      implements Component<Budget> {

    /**
     * The usual parameters, {@code keep}, {@code tokens} and {@code per}.
     *
     * @param keep default retention ratio
     * @param scope default scope
     * @return the parameters
     */
    public static Parameters of(double keep, Scope scope) {
      List<Scope> scopes = new ArrayList<>(List.of(Scope.values()));
      scopes.remove(scope);
      scopes.add(0, scope);
      return new Parameters(
          Parameter.ratio("keep", keep, "share of visual tokens kept"),
          Parameter.count("tokens", "number of visual tokens kept; wins over keep"),
          Parameter.choice("per", scopes, "what the budget is counted for"));
    }

    /**
     * A budget by ratio, over the default scope.
     *
     * @param strategy whom an error names
     * @param ratio the retention ratio
     * @return the budget
     * @throws StrategyException if the ratio is not above 0 and at most 1
     */
    public Budget keeping(String strategy, double ratio) {
      keep.check(strategy, ratio);
      return new Budget(ratio, OptionalInt.empty(), per.byDefault());
    }

    @Override
    public String name() {
      return "budget";
    }

    @Override
    public List<Parameter<?>> parameters() {
      return List.of(keep, tokens, per);
    }

    @Override
    public Budget read(ParsedParameters given) {
      return new Budget(given.get(keep), given.get(tokens), given.get(per));
    }

    /** Writes the ratio or the number, and the scope only where it is not the default. */
    @Override
    public List<String> write(Budget budget) {
      List<String> texts = new ArrayList<>(tokens.write(budget.tokens));
      if (texts.isEmpty()) {
        texts.addAll(keep.write(budget.keep));
      }
      if (budget.scope != per.byDefault()) {
        texts.addAll(per.write(budget.scope));
      }
      return texts;
    }
  }

  private static String word(Scope scope) {
    return scope.name().toLowerCase(Locale.ROOT);
  }

  /**
   * Counts the tokens that stay of a group.
   *
   * @param group tokens to choose from
   * @return 0 if there is none, else 1 to {@code group}
   */
  public int count(int group) {
    return tokens.isPresent() ? Math.min(tokens.getAsInt(), group) : Retention.count(group, keep);
  }

  /**
   * Keeps the highest scores of each group: among equals the lower index first, NaN below
   * everything. Linear time.
   *
   * @param context the request at the site
   * @param scores one per visual token alive
   * @return the selection, with a note if there are fewer tokens than the budget asks for
   */
  public Selection top(SiteContext context, float[] scores) {
    List<Scope.Group> groups = scope.groups(context);
    int[] kept = new int[scores.length];
    int size = 0;
    for (Scope.Group group : groups) {
      float[] part = Arrays.copyOfRange(scores, group.from(), group.to());
      for (int index : TopK.indices(part, count(group.size()))) {
        kept[size++] = group.from() + index;
      }
    }
    return noted(new Selection(Arrays.copyOf(kept, size), scores), groups);
  }

  /**
   * Notes it where there are fewer tokens than the budget asks for.
   *
   * @param selection what was chosen
   * @param groups the groups it was chosen from
   * @return the selection, with a note if a group is smaller than the number of tokens
   */
  public Selection noted(Selection selection, List<Scope.Group> groups) {
    int least = groups.stream().mapToInt(Scope.Group::size).min().orElse(Integer.MAX_VALUE);
    return tokens.isPresent() && tokens.getAsInt() > least
        ? selection.withNote(
            "tokens=%d was asked for per %s, but there are %d, so all of those stay"
                .formatted(tokens.getAsInt(), word(scope), least))
        : selection;
  }
}

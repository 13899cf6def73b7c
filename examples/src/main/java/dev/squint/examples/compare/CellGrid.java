package dev.squint.examples.compare;

import dev.squint.adapters.DataException;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.ModelFacts;
import dev.squint.pruning.Parameter;
import dev.squint.pruning.Retention;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;

/**
 * Turns strategies and retention ratios into cells.
 *
 * <p>A spec that takes {@code keep} and leaves it out gets one cell per ratio. Where something else
 * is the budget, {@code {keep}} stands for the ratio and {@code {tokens}} for the number of tokens
 * it keeps of the model's: {@code sparsevlm:count=table,table={tokens}}. Any other spec is one cell
 * as it stands. The unpruned model, random selection, the even grid and, where the model can,
 * smaller pictures are always there. Random selection is drawn once per seed, unless it keeps
 * everything.
 *
 * @param keeps retention ratios, each above 0 and at most 1
 * @param seeds how many draws of random selection
 * @param resizes whether the model takes smaller pictures
 */
record CellGrid(List<Double> keeps, int seeds, boolean resizes) {

  static final String NONE = "none";
  static final String RANDOM = "random";
  static final String RESIZE = "resize";
  private static final List<String> ALWAYS = List.of(NONE, RANDOM, "uniform");
  private static final String KEEP = "keep";
  private static final String TOKENS = "tokens";

  CellGrid {
    keeps = List.copyOf(new TreeSet<>(keeps).descendingSet());
    for (double keep : keeps) {
      Retention.count(1, keep);
    }
    if (seeds < 1) {
      throw new DataException(
          "random selection needs a seed, not %d of them; choose 1 or more".formatted(seeds));
    }
  }

  /**
   * The cells.
   *
   * @param strategies specs separated by semicolons
   * @param facts the model they are for
   * @return the unpruned model first, each cell once
   */
  List<Cell> cells(String strategies, ModelFacts facts) {
    List<String> specs = new ArrayList<>(ALWAYS);
    if (resizes) {
      specs.add(RESIZE);
    }
    Arrays.stream(strategies.split(";"))
        .map(String::strip)
        .filter(spec -> !spec.isEmpty() && !specs.contains(spec))
        .forEach(specs::add);
    Map<String, Cell> cells = new LinkedHashMap<>();
    for (String spec : specs) {
      List<Cell> own = of(spec, facts);
      if (!own.stream().allMatch(cell -> isThere(cell, cells.values()))) {
        own.forEach(cell -> cells.putIfAbsent(cell.id(), cell));
      }
    }
    return List.copyOf(cells.values());
  }

  /**
   * Whether the same is asked under another name, such as a strategy with its defaults spelt out.
   */
  private static boolean isThere(Cell cell, Collection<Cell> cells) {
    return cells.stream()
        .anyMatch(
            other ->
                other.strategy().spec().equals(cell.strategy().spec())
                    && other.grid().equals(cell.grid())
                    && other.seed() == cell.seed());
  }

  /** Whether a cell is there whatever strategies are asked for. */
  boolean isAlwaysThere(Cell cell) {
    return ALWAYS.contains(cell.series()) || cell.series().equals(RESIZE);
  }

  private List<Cell> of(String spec, ModelFacts facts) {
    if (spec.equals(RESIZE)) {
      return resizes ? resized(facts) : List.of();
    }
    Optional<String> template = template(spec);
    if (template.isEmpty()) {
      return List.of(
          new Cell(
              spec, spec, Strategies.parse(spec), OptionalDouble.empty(), 0, Optional.empty()));
    }
    List<Cell> cells = new ArrayList<>();
    for (double keep : keeps) {
      String filled = filled(template.get(), keep, facts.visualTokens());
      Strategy strategy = Strategies.parse(filled);
      boolean draws = spec.equals(RANDOM) && strategy.drawsBySeed();
      for (int seed = 0; seed < (draws ? seeds : 1); seed++) {
        cells.add(
            new Cell(
                draws ? filled + " seed " + seed : filled,
                spec,
                strategy,
                OptionalDouble.of(keep),
                seed,
                Optional.empty()));
      }
    }
    return cells;
  }

  private List<Cell> resized(ModelFacts facts) {
    List<Cell> cells = new ArrayList<>();
    for (double keep : keeps) {
      if (keep < 1) {
        cells.add(
            new Cell(
                RESIZE + ":keep=" + text(keep),
                RESIZE,
                Strategies.parse(NONE),
                OptionalDouble.of(keep),
                0,
                Optional.of(grid(Retention.count(facts.visualTokens(), keep)))));
      }
    }
    return cells;
  }

  /** The largest grid of at most so many tokens whose sides differ by one at most. */
  static Cell.Grid grid(int tokens) {
    int side = (int) Math.sqrt(tokens);
    return side * (side + 1) <= tokens ? new Cell.Grid(side, side + 1) : new Cell.Grid(side, side);
  }

  /** The spec with placeholders, or nothing if the ratio changes nothing about it. */
  private static Optional<String> template(String spec) {
    if (spec.contains("{" + KEEP + "}") || spec.contains("{" + TOKENS + "}")) {
      return Optional.of(spec);
    }
    if (!(Strategies.parse(spec) instanceof DescribedStrategy strategy)) {
      return Optional.empty();
    }
    int colon = spec.indexOf(':');
    Set<String> given = colon < 0 ? Set.of() : keys(spec.substring(colon + 1));
    List<String> takes = strategy.type().parameters().stream().map(Parameter::name).toList();
    if (given.contains(KEEP) || given.contains(TOKENS)) {
      return Optional.empty();
    }
    return takes.contains(KEEP)
        ? Optional.of(spec + (colon < 0 ? ":" : ",") + KEEP + "={" + KEEP + "}")
        : Optional.empty();
  }

  private static Set<String> keys(String parameters) {
    Set<String> keys = new TreeSet<>();
    for (String pair : parameters.split(",")) {
      keys.add(pair.split("=", 2)[0].strip());
    }
    return keys;
  }

  private static String filled(String template, double keep, int visualTokens) {
    return template
        .replace("{" + KEEP + "}", text(keep))
        .replace("{" + TOKENS + "}", Integer.toString(Retention.count(visualTokens, keep)));
  }

  private static String text(double keep) {
    return keep == Math.rint(keep)
        ? String.format(Locale.ROOT, "%.0f", keep)
        : Double.toString(keep);
  }
}

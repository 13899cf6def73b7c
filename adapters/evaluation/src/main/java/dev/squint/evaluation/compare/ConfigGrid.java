package dev.squint.evaluation.compare;

import dev.squint.DataException;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.spec.Retention;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoubleFunction;

/**
 * Turns strategies and retention ratios into configurations.
 *
 * <p>A spec that takes {@code keep} and leaves it out gets one configuration per ratio. Where
 * something else is the budget, {@code {keep}} stands for the ratio and {@code {tokens}} for the
 * number of tokens it keeps of the model's: {@code sparsevlm:count=table,table={tokens}}. Any other
 * spec is one configuration as it stands. The unpruned model is always there; so are, unless a
 * service is asked unpruned, random selection, the even grid and, where the model can, smaller
 * images. Random selection is drawn once per seed, unless it keeps everything.
 *
 * @param keeps retention ratios, each above 0 and at most 1
 * @param seeds how many draws of random selection
 * @param resizes whether the model takes smaller images
 * @param baselines whether random selection and the even grid are there in any case
 */
record ConfigGrid(List<Double> keeps, int seeds, boolean resizes, boolean baselines) {

  static final String NONE = "none";
  static final String RANDOM = "random";
  static final String RESIZE = "resize";
  private static final List<String> BASELINES = List.of(RANDOM, "uniform");
  private static final String KEEP = "keep";
  private static final String TOKENS = "tokens";

  ConfigGrid {
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
   * The configurations.
   *
   * @param specs specs of strategies
   * @param families strategies made for each ratio, by the name of their series
   * @param strategies strategies as they stand
   * @param visualTokens visual tokens of an unpruned image; empty if that is not known
   * @return the unpruned model first, each configuration once
   */
  List<RunConfig> configs(
      List<String> specs,
      Map<String, DoubleFunction<Strategy>> families,
      List<Strategy> strategies,
      OptionalInt visualTokens) {
    Set<String> all = new LinkedHashSet<>(List.of(NONE));
    if (baselines) {
      all.addAll(BASELINES);
    }
    if (resizes) {
      all.add(RESIZE);
    }
    all.addAll(specs);
    Map<String, RunConfig> configs = new LinkedHashMap<>();
    all.forEach(spec -> add(configs, of(spec, visualTokens)));
    families.forEach((series, strategy) -> add(configs, atRatios(series, strategy)));
    strategies.forEach(strategy -> add(configs, List.of(RunConfig.of(strategy))));
    return List.copyOf(configs.values());
  }

  private static void add(Map<String, RunConfig> configs, List<RunConfig> own) {
    if (!own.stream().allMatch(config -> isThere(config, configs.values()))) {
      own.forEach(config -> configs.putIfAbsent(config.id(), config));
    }
  }

  private List<RunConfig> atRatios(String series, DoubleFunction<Strategy> strategy) {
    return keeps.stream()
        .map(
            keep ->
                new RunConfig(
                    series + (series.contains(":") ? "," : ":") + KEEP + "=" + text(keep),
                    series,
                    strategy.apply(keep),
                    OptionalDouble.of(keep),
                    0,
                    Optional.empty()))
        .toList();
  }

  /**
   * Whether the same is asked under another name, such as a strategy with its defaults spelt out.
   */
  private static boolean isThere(RunConfig config, Collection<RunConfig> configs) {
    return configs.stream()
        .anyMatch(
            other ->
                other.strategy().spec().equals(config.strategy().spec())
                    && other.grid().equals(config.grid())
                    && other.seed() == config.seed());
  }

  /** Whether a configuration is there whatever strategies are asked for. */
  boolean isAlwaysThere(RunConfig config) {
    return config.series().equals(NONE)
        || BASELINES.contains(config.series())
        || config.series().equals(RESIZE);
  }

  private List<RunConfig> of(String spec, OptionalInt visualTokens) {
    if (spec.equals(RESIZE)) {
      return resizes ? resized(visualTokens.orElseThrow()) : List.of();
    }
    Optional<String> template = template(spec);
    if (template.isEmpty()) {
      return List.of(
          new RunConfig(
              spec, spec, Strategies.parse(spec), OptionalDouble.empty(), 0, Optional.empty()));
    }
    List<RunConfig> configs = new ArrayList<>();
    for (double keep : keeps) {
      String filled = filled(template.get(), keep, visualTokens);
      Strategy strategy = Strategies.parse(filled);
      boolean draws = spec.equals(RANDOM) && strategy.drawsBySeed();
      for (int seed = 0; seed < (draws ? seeds : 1); seed++) {
        configs.add(
            new RunConfig(
                draws ? filled + " seed " + seed : filled,
                spec,
                strategy,
                OptionalDouble.of(keep),
                seed,
                Optional.empty()));
      }
    }
    return configs;
  }

  private List<RunConfig> resized(int visualTokens) {
    List<RunConfig> configs = new ArrayList<>();
    for (double keep : keeps) {
      if (keep < 1) {
        configs.add(
            new RunConfig(
                RESIZE + ":keep=" + text(keep),
                RESIZE,
                Strategies.parse(NONE),
                OptionalDouble.of(keep),
                0,
                Optional.of(grid(Retention.count(visualTokens, keep)))));
      }
    }
    return configs;
  }

  /** The largest grid of at most so many tokens whose sides differ by one at most. */
  static RunConfig.Grid grid(int tokens) {
    int side = (int) Math.sqrt(tokens);
    return side * (side + 1) <= tokens
        ? new RunConfig.Grid(side, side + 1)
        : new RunConfig.Grid(side, side);
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

  private static String filled(String template, double keep, OptionalInt visualTokens) {
    String ratio = template.replace("{" + KEEP + "}", text(keep));
    String tokens = "{" + TOKENS + "}";
    if (!ratio.contains(tokens)) {
      return ratio;
    }
    if (visualTokens.isEmpty()) {
      throw new DataException(
          "strategy '%s': how many visual tokens an image has is not known; write numbers instead of %s"
              .formatted(template, tokens));
    }
    return ratio.replace(tokens, Integer.toString(Retention.count(visualTokens.getAsInt(), keep)));
  }

  private static String text(double keep) {
    return keep == Math.rint(keep)
        ? String.format(Locale.ROOT, "%.0f", keep)
        : Double.toString(keep);
  }
}

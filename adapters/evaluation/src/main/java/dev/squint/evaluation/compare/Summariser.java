package dev.squint.evaluation.compare;

import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.evaluation.metrics.Interval;
import dev.squint.evaluation.metrics.Intervals;
import dev.squint.evaluation.metrics.McNemar;
import dev.squint.evaluation.metrics.Metric;
import dev.squint.evaluation.metrics.MetricSet;
import dev.squint.evaluation.report.Summary;
import dev.squint.pruning.cost.FlopsFormula;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Sums up answers and costs, over the questions that every configuration has answered.
 *
 * @param samples questions of the data set
 * @param metrics the metrics
 * @param results the answers
 * @param seed seed of the bootstrap
 */
record Summariser(List<Sample> samples, MetricSet metrics, Results results, long seed) {

  /** The questions, of those drawn, that every configuration has answered. */
  int[] common(List<RunConfig> configs, int[] drawn) {
    return Arrays.stream(drawn)
        .filter(question -> configs.stream().allMatch(config -> results.has(config, question)))
        .sorted()
        .toArray();
  }

  /**
   * Sums up a configuration.
   *
   * @param config the configuration
   * @param unpruned the configuration it is compared with
   * @param questions the common questions
   * @param costs its lines of costs and those of the unpruned configuration
   */
  Summary.RunSummary config(
      RunConfig config, RunConfig unpruned, int[] questions, List<CostRecord> costs) {
    List<ScoredAnswer> own = answers(config, questions);
    List<ScoredAnswer> whole = answers(unpruned, questions);
    Map<String, Summary.Score> scores = new LinkedHashMap<>();
    List<Metric> all = metrics.all();
    for (int metric = 0; metric < all.size(); metric++) {
      scores.put(all.get(metric).name(), score(own, metric));
    }
    if (metrics.countsYesAndNo()) {
      scores.putAll(new YesNoScores(own, seed).scores());
    }
    return new Summary.RunSummary(
        config.id(),
        config.series(),
        config.strategy().spec(),
        boxed(config.keep()),
        config.seed(),
        Optional.empty(),
        results.failures(config),
        scores,
        byType(own, questions),
        own.isEmpty()
            ? Optional.empty()
            : Optional.of(against(own, whole, config.id().equals(unpruned.id()))),
        cost(own, whole),
        new Measurements(costs, seed).of(config.id(), unpruned.id()));
  }

  /** A configuration that cannot run. */
  static Summary.RunSummary refused(RunConfig config, String reason) {
    return new Summary.RunSummary(
        config.id(),
        config.series(),
        config.strategy().spec(),
        boxed(config.keep()),
        config.seed(),
        Optional.of(reason),
        0,
        Map.of(),
        Map.of(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  private static Optional<Double> boxed(OptionalDouble value) {
    return value.isPresent() ? Optional.of(value.getAsDouble()) : Optional.empty();
  }

  private List<ScoredAnswer> answers(RunConfig config, int[] questions) {
    return Arrays.stream(questions).mapToObj(question -> results.get(config, question)).toList();
  }

  private Summary.Score score(List<ScoredAnswer> answers, int metric) {
    double[] scores = new double[answers.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = answers.get(i).scores().get(metric);
    }
    return score(scores, intervals(metrics.all().get(metric)));
  }

  private Intervals intervals(Metric metric) {
    return new Intervals(metric.tellsRightFromWrong(), seed);
  }

  private static Summary.Score score(double[] scores, Intervals intervals) {
    double sum = sum(scores);
    Interval interval = intervals.ofMean(scores);
    return new Summary.Score(
        scores.length == 0 ? 0 : sum / scores.length,
        sum,
        scores.length,
        interval.low(),
        interval.high());
  }

  private Map<String, Summary.Score> byType(List<ScoredAnswer> answers, int[] questions) {
    Map<String, List<Integer>> places =
        IntStream.range(0, questions.length)
            .boxed()
            .filter(i -> !samples.get(questions[i]).type().isEmpty())
            .collect(
                Collectors.groupingBy(
                    i -> samples.get(questions[i]).type(), TreeMap::new, Collectors.toList()));
    Map<String, Summary.Score> scores = new LinkedHashMap<>();
    places.forEach(
        (type, of) -> scores.put(type, score(of.stream().map(answers::get).toList(), 0)));
    return scores;
  }

  private Summary.Against against(
      List<ScoredAnswer> own, List<ScoredAnswer> whole, boolean itself) {
    double[] loyal = new double[own.size()];
    double[] scores = new double[own.size()];
    double[] wholeScores = new double[own.size()];
    for (int i = 0; i < loyal.length; i++) {
      loyal[i] = own.get(i).answer().equals(whole.get(i).answer()) ? 1 : 0;
      scores[i] = own.get(i).score();
      wholeScores[i] = whole.get(i).score();
    }
    boolean counts = metrics.plotted().tellsRightFromWrong();
    BitSet right = right(own);
    BitSet wasRight = right(whole);
    int onlyUnpruned = wins(wasRight, right);
    int onlyPruned = wins(right, wasRight);
    return new Summary.Against(
        sum(wholeScores) == 0
            ? Optional.empty()
            : (itself
                    ? Optional.of(new Interval(1, 1))
                    : intervals(metrics.plotted()).ofRatio(scores, wholeScores))
                .map(interval -> estimate(sum(scores) / sum(wholeScores), interval)),
        estimate(
            (sum(wholeScores) - sum(scores)) / own.size(),
            itself
                ? new Interval(0, 0)
                : intervals(metrics.plotted()).ofDifference(wholeScores, scores)),
        score(loyal, new Intervals(true, seed)),
        counts ? Optional.of(onlyUnpruned) : Optional.empty(),
        counts ? Optional.of(onlyPruned) : Optional.empty(),
        counts ? Optional.of(McNemar.exact(onlyUnpruned, onlyPruned)) : Optional.empty());
  }

  private static BitSet right(List<ScoredAnswer> answers) {
    BitSet right = new BitSet(answers.size());
    for (int i = 0; i < answers.size(); i++) {
      right.set(i, answers.get(i).isRight());
    }
    return right;
  }

  /** How many are in one and not in the other. */
  private static int wins(BitSet one, BitSet other) {
    BitSet only = (BitSet) one.clone();
    only.andNot(other);
    return only.cardinality();
  }

  /**
   * How any two of the configurations that ran differ; nothing where no answer is right or wrong.
   */
  Optional<Summary.Discordant> discordant(List<RunConfig> running, int[] questions) {
    if (!metrics.plotted().tellsRightFromWrong()) {
      return Optional.empty();
    }
    List<BitSet> right = running.stream().map(config -> right(answers(config, questions))).toList();
    return Optional.of(
        new Summary.Discordant(
            running.stream().map(RunConfig::id).toList(),
            right.stream()
                .map(own -> right.stream().map(other -> wins(own, other)).toList())
                .toList()));
  }

  private static Summary.Estimate estimate(double value, Interval interval) {
    return new Summary.Estimate(value, interval.low(), interval.high());
  }

  private static double sum(double[] scores) {
    double sum = 0;
    for (double score : scores) {
      sum += score;
    }
    return sum;
  }

  /** What the answers took; nothing where that is not known of all of them. */
  private static Optional<Summary.Cost> cost(List<ScoredAnswer> own, List<ScoredAnswer> whole) {
    List<ScoredAnswer.Cost> pruned = costs(own);
    List<ScoredAnswer.Cost> unpruned = costs(whole);
    return own.isEmpty() || pruned.size() < own.size() || unpruned.size() < whole.size()
        ? Optional.empty()
        : Optional.of(costOf(pruned, unpruned));
  }

  private static List<ScoredAnswer.Cost> costs(List<ScoredAnswer> answers) {
    return answers.stream().flatMap(answer -> answer.cost().stream()).toList();
  }

  private static Summary.Cost costOf(List<ScoredAnswer.Cost> own, List<ScoredAnswer.Cost> whole) {
    Map<String, Double> paper = new LinkedHashMap<>();
    if (!own.get(0).paperFlops().isEmpty()) {
      FlopsFormula[] formulas = FlopsFormula.values();
      for (int i = 0; i < formulas.length; i++) {
        int at = i;
        paper.put(
            formulas[i].name().toLowerCase(Locale.ROOT),
            ratio(own, whole, cost -> cost.paperFlops().get(at)));
      }
    }
    return new Summary.Cost(
        mean(own, ScoredAnswer.Cost::keptTokens),
        own.stream().mapToInt(ScoredAnswer.Cost::keptTokens).min().orElse(0),
        own.stream().mapToInt(ScoredAnswer.Cost::keptTokens).max().orElse(0),
        mean(own, ScoredAnswer.Cost::averageTokens),
        mean(own, ScoredAnswer.Cost::visionFlops),
        mean(own, ScoredAnswer.Cost::prefillFlops),
        mean(own, ScoredAnswer.Cost::decodeFlops),
        ratio(own, whole, ScoredAnswer.Cost::prefillFlops),
        ratio(own, whole, ScoredAnswer.Cost::flops),
        paper,
        mean(own, ScoredAnswer.Cost::kvBytes),
        ratio(own, whole, ScoredAnswer.Cost::kvBytes));
  }

  private static double mean(
      List<ScoredAnswer.Cost> costs, ToDoubleFunction<ScoredAnswer.Cost> value) {
    return costs.stream().mapToDouble(value).average().orElse(0);
  }

  private static double ratio(
      List<ScoredAnswer.Cost> own,
      List<ScoredAnswer.Cost> whole,
      ToDoubleFunction<ScoredAnswer.Cost> value) {
    return own.stream().mapToDouble(value).sum() / whole.stream().mapToDouble(value).sum();
  }

  /** Random selection over its draws, one entry per ratio. */
  static List<Summary.Spread> spreads(List<Summary.RunSummary> configs, String metric) {
    Map<Double, List<Double>> byKeep = new LinkedHashMap<>();
    for (Summary.RunSummary config : configs) {
      if (config.series().equals(ConfigGrid.RANDOM) && config.scores().containsKey(metric)) {
        byKeep
            .computeIfAbsent(config.keep().orElseThrow(), keep -> new ArrayList<>())
            .add(config.scores().get(metric).value());
      }
    }
    return byKeep.entrySet().stream().map(e -> spread(e.getKey(), e.getValue())).toList();
  }

  private static Summary.Spread spread(double keep, List<Double> scores) {
    double mean = scores.stream().mapToDouble(d -> d).average().orElseThrow();
    double squares = scores.stream().mapToDouble(d -> (d - mean) * (d - mean)).sum();
    return new Summary.Spread(
        keep,
        scores.size(),
        mean,
        scores.stream().mapToDouble(d -> d).min().orElseThrow(),
        scores.stream().mapToDouble(d -> d).max().orElseThrow(),
        scores.size() < 2 ? 0 : Math.sqrt(squares / (scores.size() - 1)));
  }
}

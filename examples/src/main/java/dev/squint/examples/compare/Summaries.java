package dev.squint.examples.compare;

import dev.squint.examples.data.Sample;
import dev.squint.examples.metrics.Interval;
import dev.squint.examples.metrics.Intervals;
import dev.squint.examples.metrics.McNemar;
import dev.squint.examples.metrics.Metric;
import dev.squint.examples.metrics.MetricSet;
import dev.squint.examples.report.Summary;
import dev.squint.pruning.FlopsFormula;
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
 * Sums up answers and costs, over the questions that every cell has answered.
 *
 * @param samples questions of the data set
 * @param metrics the metrics
 * @param results the answers
 * @param seed seed of the bootstrap
 */
record Summaries(List<Sample> samples, MetricSet metrics, Results results, long seed) {

  /** The questions, of those drawn, that every cell has answered. */
  int[] common(List<Cell> cells, int[] drawn) {
    return Arrays.stream(drawn)
        .filter(question -> cells.stream().allMatch(cell -> results.has(cell, question)))
        .sorted()
        .toArray();
  }

  /**
   * Sums up a cell.
   *
   * @param cell the cell
   * @param unpruned the cell it is compared with
   * @param questions the common questions
   * @param costs its lines of costs and those of the unpruned cell
   */
  Summary.Cell cell(Cell cell, Cell unpruned, int[] questions, List<CostLine> costs) {
    List<Entry> own = entries(cell, questions);
    List<Entry> whole = entries(unpruned, questions);
    Map<String, Summary.Score> scores = new LinkedHashMap<>();
    List<Metric> all = metrics.all();
    for (int metric = 0; metric < all.size(); metric++) {
      scores.put(all.get(metric).name(), score(own, metric));
    }
    if (metrics.countsYesAndNo()) {
      scores.putAll(new YesNoScores(own, seed).scores());
    }
    return new Summary.Cell(
        cell.id(),
        cell.series(),
        cell.strategy().spec(),
        boxed(cell.keep()),
        cell.seed(),
        Optional.empty(),
        results.failures(cell),
        scores,
        byType(own, questions),
        own.isEmpty()
            ? Optional.empty()
            : Optional.of(against(own, whole, cell.id().equals(unpruned.id()))),
        own.isEmpty() ? Optional.empty() : Optional.of(cost(own, whole)),
        new Measurements(costs, seed).of(cell.id(), unpruned.id()));
  }

  /** A cell that cannot run. */
  static Summary.Cell refused(Cell cell, String reason) {
    return new Summary.Cell(
        cell.id(),
        cell.series(),
        cell.strategy().spec(),
        boxed(cell.keep()),
        cell.seed(),
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

  private List<Entry> entries(Cell cell, int[] questions) {
    return Arrays.stream(questions).mapToObj(question -> results.get(cell, question)).toList();
  }

  private Summary.Score score(List<Entry> entries, int metric) {
    double[] scores = new double[entries.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = entries.get(i).scores()[metric];
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

  private Map<String, Summary.Score> byType(List<Entry> entries, int[] questions) {
    Map<String, List<Integer>> places =
        IntStream.range(0, questions.length)
            .boxed()
            .filter(i -> !samples.get(questions[i]).type().isEmpty())
            .collect(
                Collectors.groupingBy(
                    i -> samples.get(questions[i]).type(), TreeMap::new, Collectors.toList()));
    Map<String, Summary.Score> scores = new LinkedHashMap<>();
    places.forEach(
        (type, of) -> scores.put(type, score(of.stream().map(entries::get).toList(), 0)));
    return scores;
  }

  private Summary.Against against(List<Entry> own, List<Entry> whole, boolean itself) {
    double[] loyal = new double[own.size()];
    double[] scores = new double[own.size()];
    double[] wholeScores = new double[own.size()];
    for (int i = 0; i < loyal.length; i++) {
      loyal[i] = own.get(i).answer().equals(whole.get(i).answer()) ? 1 : 0;
      scores[i] = own.get(i).scores()[0];
      wholeScores[i] = whole.get(i).scores()[0];
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

  private static BitSet right(List<Entry> entries) {
    BitSet right = new BitSet(entries.size());
    for (int i = 0; i < entries.size(); i++) {
      right.set(i, entries.get(i).isRight());
    }
    return right;
  }

  /** How many are in one and not in the other. */
  private static int wins(BitSet one, BitSet other) {
    BitSet only = (BitSet) one.clone();
    only.andNot(other);
    return only.cardinality();
  }

  /** How any two of the cells that ran differ; nothing where no answer is right or wrong. */
  Optional<Summary.Discordant> discordant(List<Cell> running, int[] questions) {
    if (!metrics.plotted().tellsRightFromWrong()) {
      return Optional.empty();
    }
    List<BitSet> right = running.stream().map(cell -> right(entries(cell, questions))).toList();
    return Optional.of(
        new Summary.Discordant(
            running.stream().map(Cell::id).toList(),
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

  private static Summary.Cost cost(List<Entry> own, List<Entry> whole) {
    Map<String, Double> paper = new LinkedHashMap<>();
    for (FlopsFormula formula : FlopsFormula.values()) {
      paper.put(
          formula.name().toLowerCase(Locale.ROOT),
          ratio(own, whole, entry -> entry.paperFlops()[formula.ordinal()]));
    }
    return new Summary.Cost(
        mean(own, Entry::keptTokens),
        own.stream().mapToInt(Entry::keptTokens).min().orElse(0),
        own.stream().mapToInt(Entry::keptTokens).max().orElse(0),
        mean(own, Entry::averageTokens),
        mean(own, Entry::visionFlops),
        mean(own, Entry::prefillFlops),
        mean(own, Entry::decodeFlops),
        ratio(own, whole, Entry::prefillFlops),
        ratio(own, whole, Entry::flops),
        paper,
        mean(own, Entry::kvBytes),
        ratio(own, whole, Entry::kvBytes));
  }

  private static double mean(List<Entry> entries, ToDoubleFunction<Entry> value) {
    return entries.stream().mapToDouble(value).average().orElse(0);
  }

  private static double ratio(List<Entry> own, List<Entry> whole, ToDoubleFunction<Entry> value) {
    return own.stream().mapToDouble(value).sum() / whole.stream().mapToDouble(value).sum();
  }

  /** Random selection over its draws, one entry per ratio. */
  static List<Summary.Spread> spreads(List<Summary.Cell> cells, String metric) {
    Map<Double, List<Double>> byKeep = new LinkedHashMap<>();
    for (Summary.Cell cell : cells) {
      if (cell.series().equals(CellGrid.RANDOM) && cell.scores().containsKey(metric)) {
        byKeep
            .computeIfAbsent(cell.keep().orElseThrow(), keep -> new ArrayList<>())
            .add(cell.scores().get(metric).value());
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

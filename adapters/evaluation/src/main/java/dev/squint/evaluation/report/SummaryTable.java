package dev.squint.evaluation.report;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** {@code summary.csv}: a row per configuration, a figure per column, empty where there is none. */
final class SummaryTable {

  static final String NAME = "summary.csv";
  private static final String RANDOM = "random";
  private static final int[] CALLERS = {1, 4, 16};

  private SummaryTable() {}

  static byte[] bytes(Summary summary) {
    Set<String> metrics = new LinkedHashSet<>();
    Set<String> types = new LinkedHashSet<>();
    Set<String> papers = new LinkedHashSet<>();
    for (Summary.RunSummary config : summary.configs()) {
      metrics.addAll(config.scores().keySet());
      types.addAll(config.byType().keySet());
      config.cost().ifPresent(cost -> papers.addAll(cost.paperLeft().keySet()));
    }
    StringWriter text = new StringWriter();
    try (CSVPrinter table = new CSVPrinter(text, CSVFormat.RFC4180)) {
      table.printRecord(header(metrics, types, papers));
      for (Summary.RunSummary config : summary.configs()) {
        table.printRecord(row(config, summary.spreads(), metrics, types, papers));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("a text in memory can be written", e);
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static List<String> header(Set<String> metrics, Set<String> types, Set<String> papers) {
    List<String> names =
        new ArrayList<>(List.of("cell", "series", "spec", "keep", "seed", "refused", "errors"));
    metrics.forEach(
        metric ->
            names.addAll(
                List.of(
                    metric,
                    metric + "_correct",
                    metric + "_total",
                    metric + "_low",
                    metric + "_high")));
    names.addAll(
        List.of(
            "relative",
            "relative_low",
            "relative_high",
            "drop",
            "drop_low",
            "drop_high",
            "loyalty",
            "only_unpruned",
            "only_pruned",
            "mcnemar_p",
            "seeds_mean",
            "seeds_lowest",
            "seeds_highest",
            "seeds_deviation",
            "kept_tokens",
            "least_tokens",
            "most_tokens",
            "average_tokens",
            "vision_flops",
            "prefill_flops",
            "decode_flops",
            "prefill_left",
            "flops_left"));
    papers.forEach(paper -> names.add("prefill_left_" + paper));
    names.addAll(
        List.of(
            "kv_bytes",
            "kv_left",
            "timed_requests",
            "vision_ms_median",
            "vision_ms_p95",
            "prefill_ms_median",
            "prefill_ms_p95",
            "selection_ms_median",
            "selection_ms_p95",
            "decode_ms_per_token_median",
            "decode_ms_per_token_p95",
            "total_ms_median",
            "total_ms_p95",
            "prefill_speedup",
            "prefill_speedup_low",
            "prefill_speedup_high",
            "prefill_speedup_predicted",
            "total_speedup",
            "total_speedup_low",
            "total_speedup_high",
            "answers_per_second_1_caller",
            "answers_per_second_4_callers",
            "answers_per_second_16_callers",
            "peak_bytes",
            "joules_per_answer"));
    for (String type : types) {
      names.add("type_" + type);
      names.addAll(
          List.of("type_" + type + "_total", "type_" + type + "_low", "type_" + type + "_high"));
    }
    return names;
  }

  private static List<Object> row(
      Summary.RunSummary config,
      List<Summary.Spread> spreads,
      Set<String> metrics,
      Set<String> types,
      Set<String> papers) {
    List<Object> row = new ArrayList<>();
    row.add(config.id());
    row.add(config.series());
    row.add(config.spec());
    row.add(config.keep().map(Object.class::cast).orElse(""));
    row.add(config.seed());
    row.add(config.refused().orElse(""));
    row.add(config.errors());
    for (String metric : metrics) {
      Summary.Score score = config.scores().get(metric);
      row.addAll(
          score == null
              ? List.of("", "", "", "", "")
              : List.of(
                  score.value(), count(score.correct()), score.total(), score.low(), score.high()));
    }
    row.addAll(config.against().map(SummaryTable::against).orElseGet(() -> blanks(10)));
    row.addAll(
        spreads.stream()
            .filter(spread -> config.series().equals(RANDOM))
            .filter(spread -> config.keep().isPresent() && config.keep().get() == spread.keep())
            .findFirst()
            .map(SummaryTable::spread)
            .orElseGet(() -> blanks(4)));
    config
        .cost()
        .ifPresentOrElse(
            cost -> cost(cost, papers, row), () -> row.addAll(blanks(11 + papers.size())));
    row.addAll(
        config.measured().map(SummaryTable::measured).orElseGet(() -> blanks(20 + CALLERS.length)));
    for (String type : types) {
      Summary.Score score = config.byType().get(type);
      row.addAll(
          score == null
              ? blanks(4)
              : List.of(score.value(), score.total(), score.low(), score.high()));
    }
    return row;
  }

  private static List<Object> against(Summary.Against against) {
    List<Object> row = new ArrayList<>();
    row.addAll(against.relative().map(SummaryTable::estimate).orElseGet(() -> blanks(3)));
    row.addAll(estimate(against.drop()));
    row.add(against.loyalty().value());
    for (Optional<?> figure : List.of(against.onlyUnpruned(), against.onlyPruned(), against.p())) {
      row.add(figure.isPresent() ? figure.get() : "");
    }
    return row;
  }

  private static List<Object> spread(Summary.Spread spread) {
    return List.of(spread.mean(), spread.least(), spread.most(), spread.deviation());
  }

  private static List<Object> estimate(Summary.Estimate estimate) {
    return List.of(estimate.value(), estimate.low(), estimate.high());
  }

  private static void cost(Summary.Cost cost, Set<String> papers, List<Object> row) {
    row.addAll(
        List.of(
            count(cost.keptTokens()),
            cost.leastTokens(),
            cost.mostTokens(),
            count(cost.averageTokens()),
            count(cost.visionFlops()),
            count(cost.prefillFlops()),
            count(cost.decodeFlops()),
            cost.prefillLeft(),
            cost.flopsLeft()));
    papers.forEach(paper -> row.add(cost.paperLeft().get(paper)));
    row.addAll(List.of(count(cost.kvBytes()), cost.kvLeft()));
  }

  private static List<Object> measured(Summary.Measured measured) {
    List<Object> row = new ArrayList<>();
    row.add(measured.requests());
    for (Summary.Spent spent :
        List.of(
            measured.visionMillis(),
            measured.prefillMillis(),
            measured.selectionMillis(),
            measured.decodeMillis(),
            measured.totalMillis())) {
      row.add(spent.median());
      row.add(spent.p95());
    }
    row.addAll(estimate(measured.speedup()));
    row.add(measured.predicted());
    row.addAll(estimate(measured.totalSpeedup()));
    for (int callers : CALLERS) {
      row.add(
          measured.load().stream()
              .filter(load -> load.callers() == callers)
              .findFirst()
              .map(load -> (Object) load.answersPerSecond())
              .orElse(""));
    }
    row.add(measured.peakBytes().map(Object.class::cast).orElse(""));
    row.add(measured.joules().map(Object.class::cast).orElse(""));
    return row;
  }

  /** A whole number as one; means of counts and shares of a right answer keep their fraction. */
  private static Object count(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1L << 53
        ? (Object) (long) value
        : (Object) value;
  }

  private static List<Object> blanks(int count) {
    return new ArrayList<>(Collections.nCopies(count, ""));
  }
}

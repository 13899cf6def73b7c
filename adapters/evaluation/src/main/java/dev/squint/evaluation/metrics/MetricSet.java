package dev.squint.evaluation.metrics;

import dev.squint.DataException;
import dev.squint.evaluation.Setting;
import dev.squint.evaluation.SettingException;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.data.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The metrics of a comparison.
 *
 * @param all the plotted one first
 */
public record MetricSet(List<Metric> all) {

  /** Copies the list. */
  public MetricSet {
    all = List.copyOf(all);
  }

  /** The one that plots show. */
  public Metric plotted() {
    return all.get(0);
  }

  /** Whether answers are yes or no, so that POPE's figures can be counted. */
  public boolean countsYesAndNo() {
    return plotted() instanceof YesNo;
  }

  /**
   * The metrics that fit a data set.
   *
   * @param data the data set
   * @param wanted name of the one to plot, if not the usual
   * @return the metrics
   * @throws DataException if there is no such metric, or it does not fit the answers
   */
  public static MetricSet of(DataSet data, Optional<String> wanted) {
    List<Metric> usual = usual(data);
    if (wanted.isEmpty()) {
      return new MetricSet(usual);
    }
    Map<String, Metric> known = new TreeMap<>();
    for (Metric metric : every(data)) {
      known.put(metric.name(), metric);
    }
    Metric first = known.get(wanted.get());
    if (first == null) {
      throw new DataException(
          "there is no metric '%s'; choose one of %s"
              .formatted(wanted.get(), String.join(", ", known.keySet())));
    }
    check(first, data);
    List<Metric> all = new ArrayList<>(List.of(first));
    usual.stream().filter(metric -> !metric.name().equals(first.name())).forEach(all::add);
    return new MetricSet(all);
  }

  private static void check(Metric metric, DataSet data) {
    if (metric instanceof MultipleChoice && data.task() != Task.MULTIPLE_CHOICE) {
      throw new SettingException(
          "metric multiple_choice needs choices, and the questions of %s have none; leave %s out",
          data.name(), Setting.METRIC);
    }
    if (metric instanceof YesNo && !data.samples().stream().allMatch(Sample::isYesOrNo)) {
      throw new SettingException(
          "metric pope_accuracy needs answers that are yes or no, and those of %s are others too; leave %s out",
          data.name(), Setting.METRIC);
    }
  }

  private static List<Metric> usual(DataSet data) {
    return switch (data.task()) {
      case SHORT_ANSWER -> List.of(new ExactMatch());
      case VQA -> List.of(new VqaAccuracy(), new Anls());
      case YES_NO -> List.of(new YesNo());
      case MULTIPLE_CHOICE -> List.of(new MultipleChoice());
      case CAPTION -> List.of(cider(data), new RougeL());
    };
  }

  private static List<Metric> every(DataSet data) {
    return List.of(
        new ExactMatch(),
        new VqaAccuracy(),
        new YesNo(),
        new MultipleChoice(),
        new Anls(),
        new RougeL(),
        cider(data));
  }

  private static Metric cider(DataSet data) {
    return Cider.over(data.samples().stream().map(Sample::answers).toList());
  }
}

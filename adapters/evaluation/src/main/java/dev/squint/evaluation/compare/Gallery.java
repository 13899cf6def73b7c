package dev.squint.evaluation.compare;

import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.internal.ImageSession;
import dev.squint.evaluation.internal.ModelOutput;
import dev.squint.evaluation.internal.ModelRunner;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.evaluation.report.GalleryItem;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Chooses questions to show: of each series at its middle budget the one that pruning wins most by,
 * and the one that it loses most by; the first among equals.
 *
 * @param runner asks them again, for the overlays
 * @param samples questions of the data set
 * @param results the answers
 * @param most questions shown
 */
record Gallery(ModelRunner runner, List<Sample> samples, Results results, int most) {

  private static final double MIDDLE = 0.25;

  List<GalleryItem> pick(List<RunConfig> configs, int[] questions) {
    RunConfig unpruned = configs.get(0);
    Map<String, RunConfig> middle = new LinkedHashMap<>();
    for (RunConfig config : configs) {
      if (!config.strategy().name().equals(ConfigGrid.NONE)) {
        middle.merge(config.series(), config, (a, b) -> distance(b) < distance(a) ? b : a);
      }
    }
    List<GalleryItem> picked = new ArrayList<>();
    for (boolean win : new boolean[] {true, false}) {
      middle.values().stream()
          .sorted(Comparator.comparing(RunConfig::series))
          .flatMap(config -> clearest(config, unpruned, questions, win).stream())
          .limit(most / 2)
          .forEach(picked::add);
    }
    return picked;
  }

  private static double distance(RunConfig config) {
    return Math.abs(config.keep().orElse(MIDDLE) - MIDDLE);
  }

  private Optional<GalleryItem> clearest(
      RunConfig config, RunConfig unpruned, int[] questions, boolean win) {
    double most = 0;
    int found = -1;
    for (int question : questions) {
      double better =
          results.get(config, question).score() - results.get(unpruned, question).score();
      double by = win ? better : -better;
      if (by > most) {
        most = by;
        found = question;
      }
    }
    return found < 0 ? Optional.empty() : Optional.of(show(config, unpruned, found, win));
  }

  private GalleryItem show(RunConfig config, RunConfig unpruned, int question, boolean win) {
    Sample sample = samples.get(question);
    try (ImageSession session = runner.open(sample)) {
      ModelOutput output = session.ask(config, sample, question);
      return new GalleryItem(
          config.id(),
          sample.question(),
          sample.answers(),
          session.ask(unpruned, sample, question).text(),
          output.text(),
          win,
          session.overlay(output));
    }
  }
}

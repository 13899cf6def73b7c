package dev.squint.examples.compare;

import dev.squint.adapters.Answer;
import dev.squint.examples.data.Sample;
import dev.squint.examples.report.Picked;
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
 * @param asker asks them again, for the overlays
 * @param samples questions of the data set
 * @param results the answers
 * @param most questions shown
 */
record Gallery(Asker asker, List<Sample> samples, Results results, int most) {

  private static final double MIDDLE = 0.25;

  List<Picked> pick(List<Cell> cells, int[] questions) {
    Cell unpruned = cells.get(0);
    Map<String, Cell> middle = new LinkedHashMap<>();
    for (Cell cell : cells) {
      if (!cell.strategy().name().equals(CellGrid.NONE)) {
        middle.merge(cell.series(), cell, (a, b) -> distance(b) < distance(a) ? b : a);
      }
    }
    List<Picked> picked = new ArrayList<>();
    for (boolean win : new boolean[] {true, false}) {
      middle.values().stream()
          .sorted(Comparator.comparing(Cell::series))
          .flatMap(cell -> clearest(cell, unpruned, questions, win).stream())
          .limit(most / 2)
          .forEach(picked::add);
    }
    return picked;
  }

  private static double distance(Cell cell) {
    return Math.abs(cell.keep().orElse(MIDDLE) - MIDDLE);
  }

  private Optional<Picked> clearest(Cell cell, Cell unpruned, int[] questions, boolean win) {
    double most = 0;
    int found = -1;
    for (int question : questions) {
      double better =
          results.get(cell, question).scores()[0] - results.get(unpruned, question).scores()[0];
      double by = win ? better : -better;
      if (by > most) {
        most = by;
        found = question;
      }
    }
    return found < 0 ? Optional.empty() : Optional.of(show(cell, unpruned, found, win));
  }

  private Picked show(Cell cell, Cell unpruned, int question, boolean win) {
    Sample sample = samples.get(question);
    try (Asker.Seen seen = asker.open(sample.medium())) {
      Answer answer = seen.ask(cell, sample, question);
      return new Picked(
          cell.id(),
          sample.question(),
          sample.answers(),
          seen.ask(unpruned, sample, question).text(),
          answer.text(),
          win,
          asker.squint().overlay(seen.image(), answer));
    }
  }
}

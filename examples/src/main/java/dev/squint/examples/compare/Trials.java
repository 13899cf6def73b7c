package dev.squint.examples.compare;

import dev.squint.adapters.DataException;
import dev.squint.adapters.ImageException;
import dev.squint.examples.data.Sample;
import dev.squint.pruning.SquintException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the cells that cannot run on this model: those that fail on the first few questions that
 * the unpruned model answers.
 *
 * @param asker puts questions
 * @param samples questions of the data set
 * @param results where answers go
 * @param stop ends the run early
 */
record Trials(Asker asker, List<Sample> samples, Results results, Stop stop) {

  private static final int TRIES = 3;

  /**
   * Tries the cells that have answered nothing yet. What they answer is kept.
   *
   * @param cells the cells, the unpruned one first
   * @param drawn places of the questions
   * @param progress is told of each cell that is done with
   * @return the cells that cannot run, each with the reason
   */
  Map<Cell, String> refused(List<Cell> cells, int[] drawn, Progress progress) {
    Map<Cell, String> reasons = new LinkedHashMap<>();
    List<Cell> untried = new ArrayList<>(untried(cells));
    int tries = 0;
    for (int question : drawn) {
      if (tries == TRIES || untried.isEmpty() || stop.wanted()) {
        break;
      }
      Optional<Asker.Seen> opened = opened(question);
      if (opened.isPresent()) {
        try (Asker.Seen seen = opened.get()) {
          if (isAnswered(seen, cells.get(0), question)) {
            tries++;
            reasons.putAll(tried(seen, untried, question, progress));
          }
        }
      }
    }
    if (!stop.wanted()) {
      untried.forEach(cell -> progress.step());
    }
    reasons.keySet().retainAll(untried);
    return reasons;
  }

  /** How many cells have answered nothing yet. */
  List<Cell> untried(List<Cell> cells) {
    return cells.stream().filter(cell -> !results.hasAny(cell)).toList();
  }

  /** Takes the cells that answer out of the list, and tells why the others do not. */
  private Map<Cell, String> tried(
      Asker.Seen seen, List<Cell> untried, int question, Progress progress) {
    Map<Cell, String> reasons = new LinkedHashMap<>();
    for (Cell cell : List.copyOf(untried)) {
      if (stop.wanted()) {
        return reasons;
      }
      try {
        answer(seen, cell, question);
        untried.remove(cell);
        progress.step();
      } catch (SquintException e) {
        reasons.put(cell, e.getMessage());
      }
    }
    return reasons;
  }

  private Optional<Asker.Seen> opened(int question) {
    try {
      return Optional.of(asker.open(samples.get(question).medium()));
    } catch (ImageException | DataException e) {
      // Reported with the answers: this question tells nothing of strategies, another may.
      return Optional.empty();
    }
  }

  private boolean isAnswered(Asker.Seen seen, Cell unpruned, int question) {
    try {
      answer(seen, unpruned, question);
      return true;
    } catch (SquintException e) {
      // As above.
      return false;
    }
  }

  private void answer(Asker.Seen seen, Cell cell, int question) {
    if (!results.has(cell, question)) {
      Sample sample = samples.get(question);
      results.answered(cell, question, Outcome.of(seen.ask(cell, sample, question)));
    }
  }
}

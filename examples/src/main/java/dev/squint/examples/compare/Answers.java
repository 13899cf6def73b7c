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
import java.util.concurrent.Callable;

/**
 * Asks every cell every question that it has not answered. Questions about one picture are asked
 * together, so that it is encoded once for all cells.
 *
 * @param asker puts questions
 * @param samples questions of the data set
 * @param results where answers go
 * @param stop ends the run early
 */
record Answers(Asker asker, List<Sample> samples, Results results, Stop stop) {

  /**
   * Asks.
   *
   * @param cells the cells
   * @param drawn places of the questions asked
   * @param workers questions at once
   * @param picturesAtOnce pictures that a worker holds while it goes through the cells
   * @param progress is told
   */
  void ask(List<Cell> cells, int[] drawn, int workers, int picturesAtOnce, Progress progress) {
    List<Callable<Void>> work = new ArrayList<>();
    for (List<List<Integer>> chunk : chunks(byPicture(drawn), picturesAtOnce)) {
      work.add(
          () -> {
            ask(cells, chunk, progress);
            return null;
          });
    }
    new Pool(workers).all(work);
  }

  private List<List<Integer>> byPicture(int[] drawn) {
    Map<String, List<Integer>> pictures = new LinkedHashMap<>();
    for (int question : drawn) {
      pictures
          .computeIfAbsent(samples.get(question).medium().name(), name -> new ArrayList<>())
          .add(question);
    }
    return List.copyOf(pictures.values());
  }

  private static <T> List<List<T>> chunks(List<T> all, int size) {
    List<List<T>> chunks = new ArrayList<>();
    for (int from = 0; from < all.size(); from += size) {
      chunks.add(all.subList(from, Math.min(all.size(), from + size)));
    }
    return chunks;
  }

  private void ask(List<Cell> cells, List<List<Integer>> pictures, Progress progress) {
    List<Open> open = new ArrayList<>();
    try {
      for (List<Integer> questions : pictures) {
        List<Integer> left =
            questions.stream()
                .filter(question -> cells.stream().anyMatch(cell -> !results.has(cell, question)))
                .toList();
        if (!left.isEmpty() && !stop.wanted()) {
          open(left, cells, progress).ifPresent(open::add);
        }
      }
      for (Cell cell : cells) {
        for (Open picture : open) {
          for (int question : picture.questions()) {
            if (stop.wanted()) {
              return;
            }
            if (!results.has(cell, question)) {
              ask(picture.seen(), cell, question, progress);
            }
          }
        }
      }
    } finally {
      open.forEach(picture -> picture.seen().close());
    }
  }

  private record Open(Asker.Seen seen, List<Integer> questions) {}

  private Optional<Open> open(List<Integer> questions, List<Cell> cells, Progress progress) {
    try {
      return Optional.of(new Open(asker.open(samples.get(questions.get(0)).medium()), questions));
    } catch (ImageException | DataException e) {
      for (int question : questions) {
        for (Cell cell : cells) {
          if (!results.has(cell, question)) {
            failed(cell, question, e, progress);
          }
        }
      }
      return Optional.empty();
    }
  }

  private void ask(Asker.Seen seen, Cell cell, int question, Progress progress) {
    Outcome outcome;
    try {
      outcome = Outcome.of(seen.ask(cell, samples.get(question), question));
    } catch (SquintException e) {
      failed(cell, question, e, progress);
      return;
    }
    results.answered(cell, question, outcome);
    progress.step();
  }

  private void failed(Cell cell, int question, RuntimeException reason, Progress progress) {
    results.failed(cell, question, reason.getMessage());
    progress.error();
    progress.step();
  }
}

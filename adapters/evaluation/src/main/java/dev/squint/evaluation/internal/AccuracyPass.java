package dev.squint.evaluation.internal;

import dev.squint.evaluation.EvaluationListener;
import dev.squint.evaluation.data.Sample;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;

/**
 * Asks every configuration every question that it has not answered. Questions about one image are
 * asked together, so that it is encoded once for all configurations.
 *
 * @param runner puts questions
 * @param samples questions of the data set
 * @param answers where answers go
 * @param stop whether to end before the next question
 * @param listener is told of each question that is done with
 */
public record AccuracyPass(
    ModelRunner runner,
    List<Sample> samples,
    AnswerSink answers,
    BooleanSupplier stop,
    EvaluationListener listener) {

  /**
   * Asks.
   *
   * @param configs the configurations
   * @param drawn places of the questions asked
   * @param workers questions at once
   * @param imagesAtOnce images that a worker holds while it goes through the configurations
   */
  public void ask(List<RunConfig> configs, int[] drawn, int workers, int imagesAtOnce) {
    List<Callable<Void>> work = new ArrayList<>();
    for (List<List<Integer>> chunk : chunks(byImage(drawn), imagesAtOnce)) {
      work.add(
          () -> {
            ask(configs, chunk);
            return null;
          });
    }
    new WorkerPool(workers).all(work);
  }

  private List<List<Integer>> byImage(int[] drawn) {
    Map<String, List<Integer>> images = new LinkedHashMap<>();
    for (int question : drawn) {
      images
          .computeIfAbsent(samples.get(question).medium().name(), name -> new ArrayList<>())
          .add(question);
    }
    return List.copyOf(images.values());
  }

  private static <T> List<List<T>> chunks(List<T> all, int size) {
    List<List<T>> chunks = new ArrayList<>();
    for (int from = 0; from < all.size(); from += size) {
      chunks.add(all.subList(from, Math.min(all.size(), from + size)));
    }
    return chunks;
  }

  private void ask(List<RunConfig> configs, List<List<Integer>> images) {
    List<Open> open = new ArrayList<>();
    try {
      for (List<Integer> questions : images) {
        List<Integer> left =
            questions.stream()
                .filter(
                    question -> configs.stream().anyMatch(config -> !answers.has(config, question)))
                .toList();
        if (!left.isEmpty() && !stop.getAsBoolean()) {
          open(left, configs).ifPresent(open::add);
        }
      }
      for (RunConfig config : configs) {
        for (Open image : open) {
          for (int question : image.questions()) {
            if (stop.getAsBoolean()) {
              return;
            }
            if (!answers.has(config, question)) {
              ask(image.session(), config, question);
            }
          }
        }
      }
    } finally {
      open.forEach(image -> image.session().close());
    }
  }

  private record Open(ImageSession session, List<Integer> questions) {}

  private Optional<Open> open(List<Integer> questions, List<RunConfig> configs) {
    try {
      return Optional.of(new Open(runner.open(samples.get(questions.get(0))), questions));
    } catch (AnswerException e) {
      for (int question : questions) {
        for (RunConfig config : configs) {
          if (!answers.has(config, question)) {
            failed(config, question, e);
          }
        }
      }
      return Optional.empty();
    }
  }

  private void ask(ImageSession session, RunConfig config, int question) {
    ModelOutput output;
    try {
      output = session.ask(config, samples.get(question), question);
    } catch (AnswerException e) {
      failed(config, question, e);
      return;
    }
    answers.answered(config, question, output);
    listener.stepped(false);
  }

  private void failed(RunConfig config, int question, AnswerException reason) {
    answers.failed(config, question, reason);
    listener.stepped(true);
  }
}

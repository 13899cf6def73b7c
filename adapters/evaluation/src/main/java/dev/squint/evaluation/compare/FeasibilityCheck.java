package dev.squint.evaluation.compare;

import dev.squint.evaluation.EvaluationListener;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.internal.AnswerException;
import dev.squint.evaluation.internal.ImageSession;
import dev.squint.evaluation.internal.ModelRunner;
import dev.squint.evaluation.internal.RunConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Finds the configurations that cannot run on this model: those that fail on the first few
 * questions that the unpruned model answers.
 *
 * @param runner puts questions
 * @param samples questions of the data set
 * @param results where answers go
 * @param stop whether to end before the next question
 * @param listener is told of each configuration that is done with
 */
record FeasibilityCheck(
    ModelRunner runner,
    List<Sample> samples,
    Results results,
    BooleanSupplier stop,
    EvaluationListener listener) {

  private static final int TRIES = 3;

  /**
   * Tries the configurations that have answered nothing yet. What they answer is kept.
   *
   * @param configs the configurations, the unpruned one first
   * @param drawn places of the questions
   * @return the configurations that cannot run, each with the reason
   */
  Map<RunConfig, String> refused(List<RunConfig> configs, int[] drawn) {
    Map<RunConfig, String> reasons = new LinkedHashMap<>();
    List<RunConfig> untried =
        new ArrayList<>(configs.stream().filter(config -> !results.hasAny(config)).toList());
    listener.started("trying", untried.size());
    int tries = 0;
    for (int question : drawn) {
      if (tries == TRIES || untried.isEmpty() || stop.getAsBoolean()) {
        break;
      }
      Optional<ImageSession> opened = opened(question);
      if (opened.isPresent()) {
        try (ImageSession session = opened.get()) {
          if (isAnswered(session, configs.get(0), question)) {
            tries++;
            reasons.putAll(tried(session, untried, question));
          }
        }
      }
    }
    if (!stop.getAsBoolean()) {
      untried.forEach(config -> listener.stepped(false));
    }
    listener.ended();
    reasons.keySet().retainAll(untried);
    return reasons;
  }

  /** Takes the configurations that answer out of the list, and tells why the others do not. */
  private Map<RunConfig, String> tried(
      ImageSession session, List<RunConfig> untried, int question) {
    Map<RunConfig, String> reasons = new LinkedHashMap<>();
    for (RunConfig config : List.copyOf(untried)) {
      if (stop.getAsBoolean()) {
        return reasons;
      }
      try {
        answer(session, config, question);
        untried.remove(config);
        listener.stepped(false);
      } catch (AnswerException e) {
        reasons.put(config, e.getMessage());
      }
    }
    return reasons;
  }

  private Optional<ImageSession> opened(int question) {
    try {
      return Optional.of(runner.open(samples.get(question)));
    } catch (AnswerException e) {
      // Reported with the answers: this question tells nothing of strategies, another may.
      return Optional.empty();
    }
  }

  private boolean isAnswered(ImageSession session, RunConfig unpruned, int question) {
    try {
      answer(session, unpruned, question);
      return true;
    } catch (AnswerException e) {
      // As above.
      return false;
    }
  }

  private void answer(ImageSession session, RunConfig config, int question) {
    if (!results.has(config, question)) {
      results.answered(config, question, session.ask(config, samples.get(question), question));
    }
  }
}

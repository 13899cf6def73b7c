package dev.squint.examples;

import dev.squint.adapters.Answer;
import dev.squint.adapters.AskOptions;
import dev.squint.adapters.ImageInput;
import dev.squint.adapters.QuestionSet;
import dev.squint.adapters.QuestionSet.Question;
import dev.squint.adapters.Squint;
import dev.squint.pruning.Strategy;
import java.util.List;

/** Questions asked of a loaded model under one strategy after the other. */
final class Calibration {

  private final Squint squint;
  private final List<Question> questions;
  private final AskOptions options;
  private final SearchLog log;

  /**
   * What came of all questions.
   *
   * @param right how many answers were right
   * @param prefillFlops FLOPs of all prefills
   * @param unprunedPrefillFlops FLOPs of the same prefills without pruning
   */
  record Score(int right, long prefillFlops, long unprunedPrefillFlops) {}

  Calibration(Squint squint, QuestionSet questions, AskOptions options, SearchLog log) {
    this.squint = squint;
    this.questions = questions.questions();
    this.options = options;
    this.log = log;
  }

  /** Asks every question. */
  Score score(Strategy strategy) {
    int right = 0;
    long flops = 0;
    long unpruned = 0;
    for (int i = 0; i < questions.size(); i++) {
      Answer answer = ask(strategy, i);
      right += questions.get(i).isAnsweredBy(answer.text()) ? 1 : 0;
      flops += answer.trace().prefillFlops();
      unpruned += answer.trace().unprunedPrefillFlops();
    }
    return new Score(right, flops, unpruned);
  }

  /** Whether so many answers are right; stops to ask once that is settled. */
  boolean reaches(Strategy strategy, int needed) {
    int right = 0;
    for (int i = 0; right < needed && right + questions.size() - i >= needed; i++) {
      right += questions.get(i).isAnsweredBy(ask(strategy, i).text()) ? 1 : 0;
    }
    return right >= needed;
  }

  private Answer ask(Strategy strategy, int i) {
    Question question = questions.get(i);
    Answer answer =
        squint.ask(ImageInput.of(question.image()), question.text(), strategy, options.withSeed(i));
    log.asked(questions.size() - i - 1);
    return answer;
  }
}

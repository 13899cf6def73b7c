package dev.squint.evaluation.data;

import java.util.List;
import java.util.Objects;

/**
 * One question of a data set.
 *
 * @param id what the data set calls it; unique within it
 * @param medium what it is about
 * @param question what the model is asked, choices and hints included
 * @param answers what is right: one answer, or one of each annotator, or one caption of each
 * @param choices the texts of choices A, B and so on; empty if the answer is free
 * @param type the type of question; empty if the data set names none
 */
public record Sample(
    String id,
    MediaSource medium,
    String question,
    List<String> answers,
    List<String> choices,
    String type) {

  /** Checks that a question and an answer are there. */
  public Sample {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(medium, "medium");
    Objects.requireNonNull(type, "type");
    answers = List.copyOf(answers);
    choices = List.copyOf(choices);
    if (question.isBlank() || answers.isEmpty()) {
      throw new IllegalArgumentException("a sample needs a question and an answer");
    }
  }

  /** Whether every answer is yes or no. */
  public boolean isYesOrNo() {
    return answers.stream().allMatch(answer -> answer.strip().matches("(?i)yes|no"));
  }
}

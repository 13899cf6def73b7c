package dev.squint.evaluation.metrics;

import java.util.List;

/** Scores one answer. Immutable and safe for use from many threads. */
public interface Metric {

  /** The name that lmms-eval reports it under, such as {@code exact_match}. */
  String name();

  /**
   * What of an answer is compared: normalised, or the letter or the yes or no found in it.
   *
   * @param answer what the model said
   * @param choices texts of the choices, or empty
   * @return lmms-eval's {@code filtered_resps}
   */
  String filter(String answer, List<String> choices);

  /**
   * Scores an answer.
   *
   * @param answer what the model said, unfiltered
   * @param targets what is right, at least one
   * @param choices texts of the choices, or empty
   * @return 0 to {@link #most()}
   */
  double score(String answer, List<String> targets, List<String> choices);

  /**
   * The highest score that there is.
   *
   * @return 1 for shares; CIDEr has no percent and is shown times 100, as papers print it
   */
  default double most() {
    return 1;
  }

  /**
   * Whether a score of one half and more is a right answer, so that right and wrong ones can be
   * counted.
   *
   * @return false for scores of captions, which have no such line
   */
  default boolean tellsRightFromWrong() {
    return true;
  }
}

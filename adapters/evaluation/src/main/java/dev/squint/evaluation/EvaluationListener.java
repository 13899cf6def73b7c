package dev.squint.evaluation;

/**
 * Is told how an evaluation goes on. Tasks follow one another; steps of one come from several
 * threads at once.
 */
public interface EvaluationListener {

  /**
   * A task begins.
   *
   * @param task what is done, such as {@code answers}
   * @param steps how many steps it has, at most
   */
  default void started(String task, long steps) {}

  /**
   * A step of the task is done.
   *
   * @param failed whether its question failed
   */
  default void stepped(boolean failed) {}

  /**
   * The task turned out to have another number of steps.
   *
   * @param steps how many, at most, those that are done included
   */
  default void resized(long steps) {}

  /** The task has ended, or was stopped. */
  default void ended() {}

  /**
   * Something that a reader should know, while a task runs or between two.
   *
   * @param sentence one line
   */
  default void said(String sentence) {}

  /** A listener that passes over everything. */
  static EvaluationListener none() {
    return new EvaluationListener() {};
  }
}

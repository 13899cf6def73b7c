package dev.squint.evaluation.internal;

/** Takes answers. Called by several threads at once. */
public interface AnswerSink {

  /** Whether it has the answer of a configuration to a question. */
  boolean has(RunConfig config, int question);

  /** Takes an answer. */
  void answered(RunConfig config, int question, ModelOutput output);

  /** Takes the reason why there is none. */
  void failed(RunConfig config, int question, AnswerException reason);
}

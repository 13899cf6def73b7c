package dev.squint.evaluation.internal;

import dev.squint.evaluation.data.Sample;

/** An image that questions are put about, encoded once where that can be. For one thread. */
public interface ImageSession extends AutoCloseable {

  /**
   * Asks.
   *
   * @param config how
   * @param sample what
   * @param question its place in the data set
   * @throws AnswerException if there is no answer
   */
  ModelOutput ask(RunConfig config, Sample sample, int question);

  /**
   * Draws what was kept.
   *
   * @param output an answer of this session
   * @return a PNG; empty if it cannot be drawn
   */
  byte[] overlay(ModelOutput output);

  @Override
  void close();
}

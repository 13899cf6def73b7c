package dev.squint.evaluation.internal;

import dev.squint.DataException;

/** A question that got no answer. The others may all the same. */
public final class AnswerException extends DataException {

  private static final long serialVersionUID = 1L;

  /** Takes over the sentence of what was thrown. */
  public AnswerException(RuntimeException cause) {
    super(
        cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage(), cause);
  }
}

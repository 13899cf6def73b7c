package dev.squint.adapters;

/** A question that cannot be asked; the message says why and what to do. */
public class PromptException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  /** Creates one with its sentence. */
  public PromptException(String message) {
    super(message);
  }

  /** Creates one with its sentence and its cause. */
  public PromptException(String message, Throwable cause) {
    super(message, cause);
  }
}

package dev.squint.hub;

import dev.squint.error.SquintException;

/** A model that could not be had from a hub; the message says why and what to do. */
public class HubException extends SquintException {

  private static final long serialVersionUID = 1L;

  /** Creates one with its kind and sentence. */
  public HubException(Kind kind, String message) {
    super(kind, message);
  }

  /** Creates one with its kind, sentence and cause. */
  public HubException(Kind kind, String message, Throwable cause) {
    super(kind, message, cause);
  }
}

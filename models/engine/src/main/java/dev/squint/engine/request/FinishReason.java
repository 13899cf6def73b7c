package dev.squint.engine.request;

/** Why an answer ended. */
public enum FinishReason {
  /** The model ended it with one of its end tokens. */
  STOP,
  /** As many tokens as were allowed, or as the context holds. */
  LENGTH,
  /** The {@link TokenListener} wanted no more, as where a stop string has come. */
  STOP_STRING,
  /** It was {@linkplain Cancellation cancelled}, or the thread that asked was interrupted. */
  CANCELLED,
  /** Its deadline passed. */
  DEADLINE
}

package dev.squint.engine.options;

/** What closing a model does to the requests under way. */
public enum OnClose {
  /** Waits for their answers. */
  WAIT,
  /** Cancels them, and waits until they have returned what they have. */
  CANCEL
}

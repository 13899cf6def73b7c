package dev.squint.engine.options;

/** What becomes of a request for which the engine has no room. */
public enum WhenFull {
  /** It waits its turn, in the order of arrival. */
  WAIT,
  /** It is refused at once. */
  REFUSE
}

package dev.squint.pruning.observe;

/** Where features are taken. */
public enum Stage {
  /** As the vision tower gives them to the projector. */
  BEFORE_PROJECTOR,
  /** As they enter the decoder. */
  PROJECTED
}

package dev.squint.pruning.observe;

/** How two vectors are compared. */
public enum Measure {
  /** Their dot product. */
  DOT,
  /** The cosine of the angle between them; 0 if one of them is zero. */
  COSINE
}

package dev.squint.models.graph;

/**
 * Attention that a vision tower hands out besides its features, averaged over the heads: float
 * {@code [B, patches]}.
 *
 * @param layer encoder layer, counted from 0
 * @param kind whose attention
 */
public record VisionTap(int layer, Kind kind) {

  /** Whose attention is handed out. */
  public enum Kind {
    /** That of the [CLS] token to each patch. */
    CLS,
    /** That which each patch receives, in the mean over all queries. */
    RECEIVED
  }

  /** Name of the output. */
  public String output() {
    return "tap." + (kind == Kind.CLS ? "cls." : "received.") + layer;
  }
}

package dev.squint.models.graph;

/**
 * Something that a vision tower hands out besides its features, in float32: attention averaged over
 * the heads, {@code [B, patches]}, or cosines between the patches of a picture, {@code [B, patches,
 * patches]}.
 *
 * @param layer encoder layer, counted from 0; 0 for {@link Kind#FEATURES}
 * @param kind what
 */
public record VisionTap(int layer, Kind kind) {

  /** What is handed out. */
  public enum Kind {
    /** The attention of the [CLS] token to each patch. */
    CLS("cls", false),
    /** The attention that each patch receives, in the mean over all queries. */
    RECEIVED("received", false),
    /** Cosines between the keys of patches, the mean over the heads of each. */
    MEAN_KEYS("mean-keys", true),
    /** Cosines between the keys of patches, the heads side by side. */
    KEYS("keys", true),
    /** Cosines between patches as they enter the projector. */
    FEATURES("features", true);

    private final String word;
    private final boolean compares;

    Kind(String word, boolean compares) {
      this.word = word;
      this.compares = compares;
    }

    /** Whether patches are compared with each other. */
    public boolean compares() {
      return compares;
    }
  }

  /** Name of the output. */
  public String output() {
    return "tap." + kind.word + "." + layer;
  }
}

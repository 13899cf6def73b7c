package dev.squint.evaluation.report;

import java.util.List;

/**
 * A question of the gallery: a pruned answer next to the unpruned one.
 *
 * @param config id of the configuration
 * @param question what was asked
 * @param target what is right
 * @param unpruned what the unpruned model said
 * @param pruned what the pruned model said
 * @param win whether the pruned answer scores higher; a loss otherwise
 * @param overlay a PNG of the image with dropped patches dimmed
 */
public record GalleryItem(
    String config,
    String question,
    List<String> target,
    String unpruned,
    String pruned,
    boolean win,
    byte[] overlay) {

  /** Copies list and bytes. */
  public GalleryItem {
    target = List.copyOf(target);
    overlay = overlay.clone();
  }

  @Override
  public byte[] overlay() {
    return overlay.clone();
  }
}

package dev.squint.examples.report;

import java.util.List;

/**
 * A question of the gallery: a pruned answer beside the unpruned one.
 *
 * @param cell id of the cell
 * @param question what was asked
 * @param target what is right
 * @param unpruned what the unpruned model said
 * @param pruned what the pruned model said
 * @param win whether the pruned answer scores higher; a loss otherwise
 * @param overlay a PNG of the picture with dropped patches dimmed
 */
public record Picked(
    String cell,
    String question,
    List<String> target,
    String unpruned,
    String pruned,
    boolean win,
    byte[] overlay) {

  /** Copies list and bytes. */
  public Picked {
    target = List.copyOf(target);
    overlay = overlay.clone();
  }

  @Override
  public byte[] overlay() {
    return overlay.clone();
  }
}

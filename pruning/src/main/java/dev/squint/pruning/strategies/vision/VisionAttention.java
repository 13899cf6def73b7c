package dev.squint.pruning.strategies.vision;

import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.shape.VisionShape;

/** The attention that ranks patches. */
final class VisionAttention {

  private VisionAttention() {}

  /** That of [CLS] in a layer; in a tower without [CLS] the attention received there. */
  static Expression in(VisionShape vision, int layer) {
    return vision.hasCls() ? Observe.clsAttention(layer) : Observe.attentionReceived(layer);
  }

  /**
   * That in the layer the features come from, the last which runs; where that attends within
   * windows, in the last before it that sees the whole image.
   */
  static Expression inLast(VisionShape vision) {
    return in(vision, vision.lastWholeLayer());
  }
}

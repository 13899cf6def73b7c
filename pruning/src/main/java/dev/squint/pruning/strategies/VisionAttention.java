package dev.squint.pruning.strategies;

import dev.squint.pruning.ObservationRequest;
import dev.squint.pruning.ObservationRequest.AttentionReceived;
import dev.squint.pruning.ObservationRequest.ClsAttention;
import dev.squint.pruning.VisionShape;

/** The attention that ranks patches. */
final class VisionAttention {

  private VisionAttention() {}

  /** That of [CLS] in a layer; in a tower without [CLS] the attention received there. */
  static ObservationRequest in(VisionShape vision, int layer) {
    return vision.hasCls() ? new ClsAttention(layer) : new AttentionReceived(layer);
  }

  /** That in the layer the features come from, the last which runs. */
  static ObservationRequest inLast(VisionShape vision) {
    return in(vision, vision.layers() - 1);
  }
}

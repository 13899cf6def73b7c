package dev.squint.models;

import dev.squint.pruning.Observation;
import dev.squint.pruning.ObservationRequest;
import dev.squint.pruning.ObservationRequest.EmbeddingSimilarity;
import dev.squint.pruning.ObservationRequest.FeatureSimilarity;
import dev.squint.pruning.ObservationRequest.Stage;
import dev.squint.pruning.SiteContext;

/** Makes observations that are computed beside the network, from what flows between its parts. */
@FunctionalInterface
interface Beside {

  /** Whether a request is answered beside the network. */
  static boolean answers(ObservationRequest need) {
    return need instanceof EmbeddingSimilarity
        || (need instanceof FeatureSimilarity features && features.stage() == Stage.PROJECTED);
  }

  Observation observe(ObservationRequest need, SiteContext context);
}

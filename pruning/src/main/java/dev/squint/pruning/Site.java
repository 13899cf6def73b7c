package dev.squint.pruning;

/** A place in the network where visual tokens may leave. */
public sealed interface Site {

  /** Between the vision encoder and the decoder, before the projected tokens join the text. */
  record AfterVision() implements Site {

    @Override
    public String toString() {
      return "after-vision";
    }
  }

  /**
   * The hidden states that enter a decoder layer: layers before it run on all tokens, it is the
   * first that runs pruned.
   *
   * @param layer decoder layer, counted from 0; at least 1, because a cut before layer 0 is {@link
   *     AfterVision}
   */
  record BeforeLayer(int layer) implements Site {

    public BeforeLayer {
      if (layer < 1) {
        throw new StrategyException(
            "a site before decoder layer " + layer + " does not exist; choose layer 1 or later");
      }
    }

    @Override
    public String toString() {
      return "before-layer(" + layer + ")";
    }
  }
}

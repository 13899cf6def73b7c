package dev.squint.pruning.site;

import dev.squint.error.StrategyException;

/** A place in the network where visual tokens may leave. */
public sealed interface Site {

  /**
   * Where along the network the site lies; sites of a smaller depth come first.
   *
   * @return the decoder layer after the site, below 0 for sites before the decoder
   */
  int depth();

  /**
   * Between the vision tower and its projector. Only strategies that merge features before they are
   * projected need it; to drop tokens alone {@link AfterVision} is the same, since projectors work
   * token by token.
   */
  record BeforeProjector() implements Site {

    @Override
    public int depth() {
      return -2;
    }

    @Override
    public String toString() {
      return "before-projector";
    }
  }

  /** Between the vision encoder and the decoder, before the projected tokens join the text. */
  record AfterVision() implements Site {

    @Override
    public int depth() {
      return -1;
    }

    @Override
    public String toString() {
      return "after-vision";
    }
  }

  /**
   * The hidden states that enter a decoder layer: layers before it run on all tokens, it is the
   * first that runs pruned.
   *
   * @param layer decoder layer, counted from 0; at least 1, because a split before layer 0 is
   *     {@link AfterVision}
   */
  record BeforeLayer(int layer) implements Site {

    public BeforeLayer {
      if (layer < 1) {
        throw new StrategyException(
            "a site before decoder layer " + layer + " does not exist; choose layer 1 or later");
      }
    }

    @Override
    public int depth() {
      return layer;
    }

    @Override
    public String toString() {
      return "before-layer(" + layer + ")";
    }
  }
}

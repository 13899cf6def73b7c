package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;
import java.util.Objects;

/**
 * A place in the network whose tensors can be looked at. Where layers have a batch axis it is left
 * out: in the vision tower each image that runs through it (a tile of a prompt's image) stands for
 * itself.
 *
 * @param kind what kind of place
 * @param layer which layer, counted from 0; 0 where the place is no layer
 */
public record Place(Kind kind, int layer) {

  /** What kind of place. */
  public enum Kind {
    /** A decoder layer. */
    DECODER(Part.DECODER, "decoder"),
    /** A layer of the vision tower. */
    VISION(Part.VISION, "vision"),
    /** Features as the vision tower gives them to the projector. */
    BEFORE_PROJECTOR(Part.VISION, "before-projector"),
    /** Features as they enter the decoder. */
    PROJECTED(Part.BETWEEN, "projected"),
    /** Embeddings of the prompt at the decoder's input. */
    INPUT(Part.BETWEEN, "input");

    private final Part part;
    private final String word;

    Kind(Part part, String word) {
      this.part = part;
      this.word = word;
    }

    /** In which part of the network it lies. */
    public Part part() {
      return part;
    }

    /** How it is written in the text of an expression. */
    public String word() {
      return word;
    }

    boolean hasLayers() {
      return this == DECODER || this == VISION;
    }
  }

  /** Parts of the network that are graphs of their own: an expression looks at one of them. */
  public enum Part {
    /** The vision tower up to its projector. */
    VISION("the vision tower"),
    /** What lies between the projector and the first decoder layer. */
    BETWEEN("the decoder's input"),
    /** The decoder layers. */
    DECODER("the decoder's layers");

    private final String words;

    Part(String words) {
      this.words = words;
    }

    @Override
    public String toString() {
      return words;
    }
  }

  public Place {
    Objects.requireNonNull(kind, "kind");
    if (layer < 0) {
      throw new StrategyException("layer " + layer + " cannot be observed; layers count from 0");
    }
  }

  /** A decoder layer, counted from 0. */
  public static Place decoder(int layer) {
    return new Place(Kind.DECODER, layer);
  }

  /** A layer of the vision tower, counted from 0. */
  public static Place vision(int layer) {
    return new Place(Kind.VISION, layer);
  }

  /**
   * Queries, {@code [heads, tokens, head-width]}. In the decoder they are turned by their rotary
   * positions. Where an export spreads the scale of the scores over its operands they carry a
   * factor common to all.
   */
  public Expression q(Rows rows) {
    return new Leaf(this, Leaf.Tensor.Q, rows);
  }

  /**
   * Keys. In the decoder {@code [kv-heads, tokens, head-width]} as they lie in the KV cache, rotary
   * positions applied; in the vision tower {@code [heads, tokens, head-width]} as queries meet
   * them, that is as projected, bias included, or turned by rotary positions where the tower has
   * these (Qwen-VL), up to a factor common to all.
   */
  public Expression k(Rows rows) {
    return new Leaf(this, Leaf.Tensor.K, rows);
  }

  /**
   * Values. In the decoder {@code [kv-heads, tokens, head-width]} as they lie in the KV cache; in
   * the vision tower {@code [heads, tokens, head-width]} as projected, bias included.
   */
  public Expression v(Rows rows) {
    return new Leaf(this, Leaf.Tensor.V, rows);
  }

  /**
   * Attention that some tokens pay to all, {@code [heads, queries, tokens]}: after scale, masks and
   * the softmax over all keys.
   */
  public Expression probabilities(Rows queries) {
    return new Leaf(this, Leaf.Tensor.PROBABILITIES, queries);
  }

  /** Hidden states that enter the layer, {@code [tokens, hidden]}. */
  public Expression hidden(Rows rows) {
    return new Leaf(this, Leaf.Tensor.HIDDEN, rows);
  }

  /** Hidden states that enter a decoder layer, passed through the decoder's last norm. */
  public Expression normed(Rows rows) {
    return new Leaf(this, Leaf.Tensor.NORMED, rows);
  }

  /** What enters the last matrix of the layer's feed-forward, {@code [tokens, neurons]}. */
  public Expression mlp(Rows rows) {
    return new Leaf(this, Leaf.Tensor.MLP, rows);
  }

  /**
   * Features of the visual tokens, {@code [tokens, hidden]}; before the projector of the tower's
   * width. They are there before the decoder only.
   *
   * @param stage where they are taken
   */
  public static Expression features(Stage stage) {
    Kind kind = stage == Stage.PROJECTED ? Kind.PROJECTED : Kind.BEFORE_PROJECTOR;
    return new Leaf(new Place(kind, 0), Leaf.Tensor.FEATURES, Rows.VISUAL);
  }

  /**
   * Embeddings at the decoder's input, {@code [tokens, hidden]}: of visual tokens those that enter
   * the decoder, before the decoder those alive; of text tokens those of the prompt.
   */
  public static Expression embeds(Rows rows) {
    return new Leaf(new Place(Kind.INPUT, 0), Leaf.Tensor.EMBEDS, rows);
  }

  /** In words, for messages. */
  String words() {
    return switch (kind) {
      case DECODER -> "a decoder layer";
      case VISION -> "a layer of the vision tower";
      case BEFORE_PROJECTOR, PROJECTED -> "features";
      case INPUT -> "the decoder's input";
    };
  }

  @Override
  public String toString() {
    return kind.hasLayers() ? kind.word() + "." + layer : kind.word();
  }
}

package dev.squint.pruning.observe;

import java.util.Objects;
import java.util.Optional;

/**
 * One axis of a tensor.
 *
 * @param kind what it counts
 * @param rows which tokens, where it counts tokens
 */
public record Axis(Kind kind, Optional<Rows> rows) {

  public Axis {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(rows, "rows");
  }

  /** What an axis counts. */
  public enum Kind {
    /** Attention heads; in the vision tower those of keys and values too. */
    HEADS("heads"),
    /** Heads of keys and values in the decoder, each shared by a group of query heads. */
    KV_HEADS("kv-heads"),
    /** Tokens that attend, in attention probabilities. */
    QUERIES("queries"),
    /** Tokens; in attention probabilities those attended to. */
    TOKENS("tokens"),
    /** Numbers of one head. */
    HEAD_WIDTH("head-width"),
    /** Numbers of all heads side by side. */
    JOINED_HEADS("joined-heads"),
    /** Numbers of all key or value heads of the decoder side by side. */
    JOINED_KV_HEADS("joined-kv-heads"),
    /** Numbers of a hidden state of the decoder, of a projected feature or of an embedding. */
    HIDDEN("hidden"),
    /** Numbers of a hidden state of the vision tower. */
    VISION_HIDDEN("vision-hidden"),
    /** Neurons of a feed-forward. */
    NEURONS("neurons");

    private final String word;

    Kind(String word) {
      this.word = word;
    }

    /** How it is written in the text of an expression. */
    public String word() {
      return word;
    }
  }

  static Axis of(Kind kind) {
    return new Axis(kind, Optional.empty());
  }

  static Axis of(Kind kind, Rows rows) {
    return new Axis(kind, Optional.of(rows));
  }

  /** Whether it counts the visual tokens. */
  public boolean isVisual() {
    return rows.filter(Rows.VISUAL::equals).isPresent();
  }

  @Override
  public String toString() {
    return rows.map(chosen -> kind.word() + ":" + chosen.word()).orElse(kind.word());
  }
}

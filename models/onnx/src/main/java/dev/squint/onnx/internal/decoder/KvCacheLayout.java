package dev.squint.onnx.internal.decoder;

/** How the KV cache of a segment's layers comes into its graph and leaves it. */
public sealed interface KvCacheLayout {

  /** As exported: all keys and values of a layer in, all of them with the new ones out. */
  record Whole() implements KvCacheLayout {}

  /**
   * As exported, but with room for further tokens behind those that are there: what comes in is the
   * memory that goes out, and new tokens are written into it.
   */
  record Growing() implements KvCacheLayout {}

  /** As exported, and with the attention of a token to all that are cached. */
  record Attended() implements KvCacheLayout {}

  /**
   * As whole numbers of few bits, in parts: what the prompt left, and a tail that grows. In the
   * graph they become what {@code past_key_values.*} was; only the tail comes out.
   *
   * @param bits bits of the tail and of the salient tokens of the prompt: 8, 4, 2, or 32 for the
   *     numbers as they are
   * @param low bits of the other tokens of the prompt; 0 if all are alike. If they are not, the
   *     graph also returns new tokens in that width, and the attention to every cached token
   * @param rotated whether keys and values are rotated before rounding
   * @param width width of a head, where the graph leaves it open
   */
  record Quantised(int bits, int low, boolean rotated, int width) implements KvCacheLayout {

    /** The numbers as they are, but stored in parts. */
    static final int EXACT = 32;
  }

  /**
   * Each KV head with a length of its own: what the prompt left of all heads in one list, and a
   * tail that all heads share. In the graph the heads are filled up to the longest, and what fills
   * them is hidden from the attention.
   *
   * @param heads query heads
   * @param width width of a head, where the graph leaves it open
   */
  record Ragged(int heads, int width) implements KvCacheLayout {}

  /** Whether the attention of some queries to all cached tokens is returned. */
  default boolean attended() {
    return this instanceof Ragged
        || this instanceof Attended
        || (this instanceof Quantised quantised && quantised.low() > 0);
  }

  /** Whether keys and values come in other than as exported. */
  default boolean stored() {
    return this instanceof Quantised || this instanceof Ragged;
  }

  /** Whether keys and values are as exported and nothing else is returned. */
  default boolean asExported() {
    return !stored() && !attended();
  }
}

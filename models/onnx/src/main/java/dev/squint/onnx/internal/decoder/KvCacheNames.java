package dev.squint.onnx.internal.decoder;

import java.util.List;
import java.util.Locale;

/** Names of the tensors through which a stored KV cache passes into a segment and out of it. */
public final class KvCacheNames {

  /** What the names of all inputs begin with. */
  public static final String PREFIX = "cache.";

  /** Input: int64 {@code [R]}, the new tokens whose attention is returned. */
  public static final String ROWS = PREFIX + "rows";

  /** Input of a growing cache: int64 {@code [1]}, how many tokens are cached before the run. */
  public static final String BEGIN = PREFIX + "begin";

  /** Input of a growing cache: int64 {@code [1]}, how many tokens are cached after the run. */
  public static final String END = PREFIX + "end";

  /** Input of a growing cache: int64 {@code [R]}, the places of the tokens that run. */
  public static final String PLACES = PREFIX + "new";

  private KvCacheNames() {}

  /** A part of the stored cache, whose tokens are alike. */
  public enum Part {
    /** Salient tokens of the prompt, or all of them. */
    HIGH,
    /** The other tokens of the prompt. */
    LOW,
    /** Tokens that came after the prompt. */
    TAIL;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** What a number is put together from. */
  public enum Field {
    /** Whole numbers, {@code [1, heads, tokens, bytes]}, or the numbers themselves. */
    VALUES,
    /** Step between whole numbers, {@code [1, heads, tokens, 1]}. */
    SCALE,
    /** What whole number 0 stands for, {@code [1, heads, tokens, 1]}. */
    LEAST;

    /** The fields of numbers of so many bits. */
    public static List<Field> of(int bits) {
      return bits == KvCacheLayout.Quantised.EXACT ? List.of(VALUES) : List.of(values());
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Input: a field of a part. */
  public static String stored(int layer, boolean key, Part part, Field field) {
    return PREFIX + at(layer, key) + part + "." + field;
  }

  /** Output: a field of the tail with the new tokens. */
  public static String grown(int layer, boolean key, Field field) {
    return "grown." + at(layer, key) + field;
  }

  /** Output: a field of the new tokens in the lower width. */
  public static String low(int layer, boolean key, Field field) {
    return "low." + at(layer, key) + field;
  }

  /** Output of a growing cache: {@code [1, heads, room, width]}, the memory that came in. */
  public static String room(int layer, boolean key) {
    return "room." + layer + (key ? ".key" : ".value");
  }

  /** Input: {@code [rows, width]}, what the heads of a layer keep of the prompt, one by one. */
  public static String flat(int layer, boolean key) {
    return PREFIX + at(layer, key) + "flat";
  }

  /** Input: int32 {@code [1, KV heads, longest]}, where the rows of each head are. */
  public static String places(int layer) {
    return PREFIX + layer + ".places";
  }

  /**
   * Input: float {@code [heads, 1, longest]}, 0 for a row and minus infinity where there is none.
   */
  public static String bias(int layer) {
    return PREFIX + layer + ".bias";
  }

  /** Input: int32 {@code [tokens]}, for each token of the prompt its place in low and high. */
  public static String order(int layer) {
    return PREFIX + layer + ".order";
  }

  /**
   * Output: float {@code [1, keys]}, the attention that the new tokens {@link #ROWS} pay to all
   * tokens of a layer, themselves included; mean over heads and tokens. Where each KV head has a
   * length of its own, {@code [1, heads, keys]}, mean over tokens.
   */
  public static String attention(int layer) {
    return "attention." + layer;
  }

  private static String at(int layer, boolean key) {
    return layer + (key ? ".key." : ".value.");
  }
}

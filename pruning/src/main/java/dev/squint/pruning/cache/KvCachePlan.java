package dev.squint.pruning.cache;

import dev.squint.pruning.site.TopK;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What becomes of the keys and values of the tokens that went through a layer, while the answer is
 * made. Other than a site, which takes tokens out of the prefill, it acts on what lies in memory
 * after the prefill: tokens of one layer may stay that leave in another, and text may be touched.
 * At most one plan holds for a request.
 */
public sealed interface KvCachePlan {

  /**
   * Keys and values rest as whole numbers of few bits and become floating point only on their way
   * into the attention of the layer that runs. Every token and head has a scale and a least value
   * of its own: {@code x = least + q * scale}, {@code scale = (greatest - least) / (2^bits - 1)}.
   *
   * <p>Salient tokens of the prompt and all generated ones take {@code bits}, the others {@code
   * low}. In the first layers the text is salient; in later ones the share of tokens that the last
   * prompt tokens attend to most.
   *
   * @param bits bits of the salient tokens: 8, 4 or 2
   * @param low bits of the others, at most {@code bits}
   * @param salient share of the prompt's tokens that is salient, above 0 and at most 1
   * @param textLayers how many first layers hold the text for salient
   * @param window how many last prompt tokens are asked what they attend to
   * @param rotated whether a Walsh-Hadamard rotation along the head spreads outliers before
   *     rounding
   */
  record Quantised(int bits, int low, double salient, int textLayers, int window, boolean rotated)
      implements KvCachePlan {

    public Quantised {
      if (!isWidth(bits) || !isWidth(low) || low > bits) {
        throw new IllegalArgumentException(
            "keys and values take 8, 4 or 2 bits, others no more than the salient, not %d and %d"
                .formatted(bits, low));
      }
      if (!(salient > 0 && salient <= 1) || textLayers < 0 || window < 1) {
        throw new IllegalArgumentException(
            "a share of %s, %d layers and a window of %d do not make a cache plan"
                .formatted(salient, textLayers, window));
      }
    }

    private static boolean isWidth(int bits) {
      return bits == 8 || bits == 4 || bits == 2;
    }

    /** Whether all tokens take the same number of bits. */
    public boolean uniform() {
      return bits == low || salient == 1;
    }

    /**
     * Chooses the tokens of the prompt that keep {@link #bits}.
     *
     * @param layer the decoder layer
     * @param visual for each token in the cache of the layer whether it is a visual one
     * @param attention for each of them the attention it gets from those of the window that see it,
     *     their mean
     * @return the salient tokens, ascending: {@code rint(n * salient)}, at least one; in the first
     *     layers all of the text
     */
    public int[] salient(int layer, boolean[] visual, float[] attention) {
      if (layer >= textLayers) {
        int count = (int) Math.max(1, Math.rint(visual.length * salient));
        return TopK.indices(attention, Math.min(count, visual.length));
      }
      int[] text = new int[visual.length];
      int count = 0;
      for (int token = 0; token < visual.length; token++) {
        if (!visual[token]) {
          text[count++] = token;
        }
      }
      return Arrays.copyOf(text, count);
    }
  }

  /**
   * Visual tokens of the prompt are ranked in each layer by the attention that the last prompt
   * token pays them. The core takes part in every step; secondary tokens lie apart and take part in
   * every so many-th step, which chooses the core anew; the others leave memory. Text stays. A
   * decoder with sliding windows measures them over what takes part in a step.
   *
   * @param core share of the visual tokens that is core, above 0 and at most {@code stay}
   * @param stay share of the visual tokens that stays in memory, at most 1
   * @param every in which step all that stay take part, counted from the last such step
   */
  record Split(double core, double stay, int every) implements KvCachePlan {

    public Split {
      if (!(core > 0 && core <= stay && stay <= 1) || every < 1) {
        throw new IllegalArgumentException(
            "shares of %s and %s and each %d-th step do not make a cache plan"
                .formatted(core, stay, every));
      }
    }

    /** How many of so many visual tokens are core: {@code rint(n * core)}, at least one. */
    public int coreCount(int visualTokens) {
      return count(core, visualTokens);
    }

    /** How many of so many visual tokens stay: {@code rint(n * stay)}, at least one. */
    public int stayCount(int visualTokens) {
      return count(stay, visualTokens);
    }

    private static int count(double share, int tokens) {
      return Math.min(tokens, (int) Math.max(1, Math.rint(tokens * share)));
    }

    /**
     * Chooses the tokens of highest attention.
     *
     * @param attention of each token
     * @param count how many
     * @return the tokens, ascending
     */
    public int[] highest(float[] attention, int count) {
      return TopK.indices(attention, count);
    }
  }

  /**
   * Every KV head of every layer keeps a number of visual tokens of its own, those that its group
   * of heads attends to most; the others leave memory after the prefill. Text stays. A decoder with
   * sliding windows measures them over what is left of the longest head.
   *
   * @param weights for each layer the weight of each KV head; all together they are 1
   * @param keep share of the visual tokens that a KV head keeps on average, if no number is given
   * @param tokens number of visual tokens that a KV head keeps on average
   * @param window how many last prompt tokens are asked what they attend to
   */
  record PerHead(List<List<Double>> weights, double keep, OptionalInt tokens, int window)
      implements KvCachePlan {

    private static final double LEAST_SHARE = 0.1;
    private static final int POOL = 5;

    public PerHead {
      weights = weights.stream().map(List::copyOf).toList();
      Objects.requireNonNull(tokens, "tokens");
      if (!(keep > 0 && keep <= 1) || window < 1) {
        throw new IllegalArgumentException(
            "a share of %s and a window of %d do not make a cache plan".formatted(keep, window));
      }
    }

    /**
     * How many visual tokens a head keeps: {@code rint(w * (B - least) * heads + least)}, where B
     * is the average, {@code least = (int) (B * 0.1)}, and {@code heads} the number of KV heads of
     * all layers.
     *
     * @param layer the layer
     * @param kvHead the KV head
     * @param visualTokens how many visual tokens are in the cache of the layer
     * @return the number, at most {@code visualTokens}; all of them if B is not less
     */
    public int capacity(int layer, int kvHead, int visualTokens) {
      int budget = tokens.orElse((int) Math.max(1, Math.rint(visualTokens * keep)));
      if (budget >= visualTokens) {
        return visualTokens;
      }
      int least = (int) (budget * LEAST_SHARE);
      long heads = weights.stream().mapToLong(List::size).sum();
      double share = weights.get(layer).get(kvHead) * (budget - least) * heads + least;
      return Math.min(visualTokens, (int) Math.rint(share));
    }

    /**
     * Chooses the tokens of a KV head.
     *
     * @param layer the layer
     * @param kvHead the KV head
     * @param visual for each token in the cache of the layer whether it is a visual one
     * @param attention for each of them the attention it gets from the window, mean over its tokens
     *     and over the heads that share the KV head; smoothed here over 5 neighbours
     * @return the tokens that stay, ascending, text among them
     */
    public int[] stays(int layer, int kvHead, boolean[] visual, float[] attention) {
      int[] candidates = IntStream.range(0, visual.length).filter(t -> visual[t]).toArray();
      float[] scores = new float[candidates.length];
      for (int i = 0; i < scores.length; i++) {
        for (int at = -POOL / 2; at <= POOL / 2; at++) {
          int neighbour = candidates[i] + at;
          scores[i] +=
              neighbour >= 0 && neighbour < attention.length ? attention[neighbour] / POOL : 0;
        }
      }
      boolean[] kept = new boolean[visual.length];
      for (int chosen : TopK.indices(scores, capacity(layer, kvHead, candidates.length))) {
        kept[candidates[chosen]] = true;
      }
      return IntStream.range(0, visual.length).filter(t -> !visual[t] || kept[t]).toArray();
    }
  }
}

package dev.squint.engine.internal.generate;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Draws tokens: temperature, top-k, top-p and min-p in this order, with the comparisons and in the
 * precision of transformers, so that the same tokens stay; then by the inverse of the cumulative
 * distribution of those that stay, in float64. Belongs to one thread.
 */
final class Sampler {

  private final Sampling how;
  private final SplittableRandom random;

  /** Tokens that stay, in {@code [0, count)}. */
  private int[] kept = new int[64];

  private int count;

  /** For each token its weight; empty until all are needed. */
  private float[] weights = {};

  Sampler(Sampling how) {
    this.how = how;
    this.random = new SplittableRandom(how.seed());
  }

  /**
   * Draws one token.
   *
   * @param scores a score for each token, which are divided by the temperature
   */
  int draw(float[] scores) {
    choose(scores);
    float best = best(scores);
    double all = 0;
    for (int i = 0; i < count; i++) {
      all += Math.exp((double) scores[kept[i]] - best);
    }
    double left = random.nextDouble() * all;
    int drawn = kept[0];
    for (int i = 0; i < count && left >= 0; i++) {
      double weight = Math.exp((double) scores[kept[i]] - best);
      drawn = weight > 0 ? kept[i] : drawn;
      left -= weight;
    }
    return drawn;
  }

  /**
   * Finds the tokens to draw from.
   *
   * @param scores a score for each token, which are divided by the temperature
   * @return them, in no order
   */
  int[] keep(float[] scores) {
    choose(scores);
    return Arrays.copyOf(kept, count);
  }

  private void choose(float[] scores) {
    if (how.temperature() != 1) {
      for (int i = 0; i < scores.length; i++) {
        scores[i] /= how.temperature();
      }
    }
    keepBest(scores);
    requireSome(scores);
    if (how.topP() < 1) {
      keepMass(scores);
    }
    if (how.minP() > 0) {
      keepShare(scores);
    }
  }

  private void requireSome(float[] scores) {
    if (count == 0) {
      throw new ModelException(
          Kind.BAD_MODEL,
          "no token may come next: generation_config.json forbids all of them; remove rules from it");
    }
    if (best(scores) == Float.POSITIVE_INFINITY) {
      throw NextToken.notNumbers();
    }
  }

  private float best(float[] scores) {
    float best = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      best = Math.max(best, scores[kept[i]]);
    }
    return best;
  }

  /** Top-k; tokens that are as good as the last one stay too. */
  private void keepBest(float[] scores) {
    float least =
        how.topK() > 0 && how.topK() < scores.length
            ? leastOfBest(scores, how.topK())
            : Float.NEGATIVE_INFINITY;
    count = 0;
    for (int token = 0; token < scores.length; token++) {
      if (scores[token] >= least && scores[token] > Float.NEGATIVE_INFINITY) {
        if (count == kept.length) {
          kept = Arrays.copyOf(kept, Math.min(scores.length, 2 * count));
        }
        kept[count++] = token;
      }
    }
  }

  /** The score at place k from the best, found with a heap of the k best so far. */
  private static float leastOfBest(float[] scores, int k) {
    float[] heap = Arrays.copyOf(scores, k);
    for (int i = k / 2 - 1; i >= 0; i--) {
      sink(heap, i);
    }
    for (int i = k; i < scores.length; i++) {
      if (scores[i] > heap[0]) {
        heap[0] = scores[i];
        sink(heap, 0);
      }
    }
    return heap[0];
  }

  private static void sink(float[] heap, int from) {
    float value = heap[from];
    int at = from;
    for (int child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= value) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = value;
  }

  /**
   * Top-p: tokens go, from the worst on, as long as those gone have no more than the rest of the
   * probability together. Here they are taken from the best on, out of a heap; among equals the
   * larger one comes first.
   */
  private void keepMass(float[] scores) {
    double left = weigh(scores);
    float gone = (float) (1 - how.topP());
    for (int i = count / 2 - 1; i >= 0; i--) {
      sink(scores, i, count);
    }
    int heap = count;
    do {
      int token = kept[0];
      left -= weights[token];
      heap--;
      kept[0] = kept[heap];
      kept[heap] = token;
      sink(scores, 0, heap);
    } while (heap > 0 && (float) left > gone);
    System.arraycopy(kept, heap, kept, 0, count - heap);
    count -= heap;
  }

  private void sink(float[] scores, int from, int size) {
    int token = kept[from];
    int at = from;
    for (int child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && before(scores, kept[child + 1], kept[child])) {
        child++;
      }
      if (!before(scores, kept[child], token)) {
        break;
      }
      kept[at] = kept[child];
      at = child;
    }
    kept[at] = token;
  }

  private static boolean before(float[] scores, int one, int other) {
    return scores[one] > scores[other] || (scores[one] == scores[other] && one > other);
  }

  private void keepShare(float[] scores) {
    weigh(scores);
    float best = 0;
    for (int i = 0; i < count; i++) {
      best = Math.max(best, weights[kept[i]]);
    }
    float least = (float) how.minP() * best;
    int stay = 0;
    for (int i = 0; i < count; i++) {
      if (weights[kept[i]] >= least) {
        kept[stay++] = kept[i];
      }
    }
    count = stay;
  }

  /** Makes probabilities of the tokens that stay, as float32, and returns their sum. */
  private double weigh(float[] scores) {
    if (weights.length < scores.length) {
      weights = new float[scores.length];
    }
    float best = best(scores);
    double sum = 0;
    for (int i = 0; i < count; i++) {
      float weight = (float) Math.exp(scores[kept[i]] - best);
      weights[kept[i]] = weight;
      sum += weight;
    }
    float divisor = (float) sum;
    double all = 0;
    for (int i = 0; i < count; i++) {
      weights[kept[i]] /= divisor;
      all += weights[kept[i]];
    }
    return all;
  }
}

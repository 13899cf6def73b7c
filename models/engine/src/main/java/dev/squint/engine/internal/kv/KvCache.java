package dev.squint.engine.internal.kv;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.KvCacheLayout;
import dev.squint.pruning.cache.KvCachePlan;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The KV cache of the layers of one segment in one request. */
public interface KvCache extends AutoCloseable {

  /** Tokens in it that the next run sees. */
  int tokens();

  /** Tokens that the last run has seen, those that ran included. */
  default int seen() {
    return tokens();
  }

  /**
   * Makes room at once for tokens that come in several runs.
   *
   * @param fresh how many are to come
   */
  default void expect(int fresh) {}

  /**
   * What the segment is given of it.
   *
   * @param run owner of what is made for one run
   * @param fresh how many tokens run
   */
  Map<String, OnnxTensor> inputs(TensorScope run, int fresh);

  /**
   * How often what is given and written into became other tensors; -1 where it does in every run.
   */
  default int moves() {
    return -1;
  }

  /** What the segment is to return for it. */
  Set<String> outputs();

  /** What the segment is to write into, by the names of outputs. */
  default Map<String, OnnxTensor> inPlace() {
    return Map.of();
  }

  /**
   * Appends the keys and values of new tokens.
   *
   * @param run owner of what the segment has returned
   * @param out what it has returned, by name
   * @param fresh how many tokens ran
   */
  void append(TensorScope run, Map<String, OnnxTensor> out, int fresh);

  /**
   * Puts the prompt away, once it has run.
   *
   * @param visual for each token whether it is a visual one
   */
  void onPrefillDone(boolean[] visual);

  /**
   * A copy of its first tokens, which the next run then sees.
   *
   * @param tokens how many
   * @param owner owns the copy; closed with it
   * @throws IllegalStateException if this form of cache gives none
   */
  default KvCache copyOfFirst(int tokens, TensorScope owner) {
    throw new IllegalStateException("only a cache as the graph has it can be copied");
  }

  /** Tokens that a cache may have room for at most, where so many are needed. */
  static int withRoom(int tokens) {
    return GrowingKvCache.withRoom(tokens);
  }

  /** Size of its tokens in memory. */
  long bytes();

  @Override
  void close();

  /** The cache that a segment's graph asks for. */
  static KvCache of(
      SplitDecoder.Segment segment,
      ModelConfig.Text sizes,
      TensorScope owner,
      Optional<KvCachePlan> plan) {
    if (segment.spec().cache() instanceof KvCacheLayout.Quantised form) {
      return new QuantisedKvCache(segment, form, sizes, owner, plan);
    }
    if (segment.spec().cache() instanceof KvCacheLayout.Attended) {
      return new TieredKvCache(segment, sizes, owner, (KvCachePlan.Split) plan.orElseThrow());
    }
    if (segment.spec().cache() instanceof KvCacheLayout.Ragged form) {
      return new PerHeadKvCache(
          segment, form, sizes, owner, (KvCachePlan.PerHead) plan.orElseThrow());
    }
    if (segment.spec().cache() instanceof KvCacheLayout.Growing) {
      return new GrowingKvCache(segment, sizes, owner);
    }
    return new PlainKvCache(segment, sizes, owner);
  }
}

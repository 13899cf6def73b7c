package dev.squint.engine.internal.kv;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.KvCacheNames;
import dev.squint.onnx.internal.decoder.KvCacheNames.Field;
import dev.squint.onnx.internal.decoder.KvCacheNames.Part;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** What the prompt left never moves again; a tail of generated tokens grows after it. */
abstract class TailedCache implements KvCache {

  final SplitDecoder.Segment segment;
  final ModelConfig.Text sizes;
  final int from;
  final int to;
  final TensorScope tailOwner;
  final Map<String, OnnxTensor> tail = new HashMap<>();
  final Map<Integer, float[]> attention = new HashMap<>();
  TensorScope promptOwner;
  Map<String, OnnxTensor> prompt = new HashMap<>();
  boolean prefillDone;
  private final List<Field> fields;

  /**
   * @param owner owns what the prompt leaves, until it is put away
   * @param fields what a tail consists of
   */
  TailedCache(
      SplitDecoder.Segment segment, ModelConfig.Text sizes, TensorScope owner, List<Field> fields) {
    this.segment = segment;
    this.sizes = sizes;
    this.from = segment.spec().from();
    this.to = segment.spec().to();
    this.promptOwner = owner;
    this.tailOwner = owner.newScope();
    this.fields = fields;
  }

  /** Something is done with the keys, or else the values, of a layer. */
  @FunctionalInterface
  interface Visit {
    void at(int layer, boolean key);
  }

  final void forEachLayerAndKind(Visit visit) {
    for (int layer = from; layer < to; layer++) {
      visit.at(layer, true);
      visit.at(layer, false);
    }
  }

  static String tailOf(int layer, boolean key, Field field) {
    return KvCacheNames.stored(layer, key, Part.TAIL, field);
  }

  final void emptyTail() {
    tailOwner.close();
    tail.clear();
    forEachLayerAndKind(
        (layer, key) -> {
          for (Field field : fields) {
            putEmpty(tailOwner, tail, tailOf(layer, key, field));
          }
        });
  }

  final void putEmpty(TensorScope owner, Map<String, OnnxTensor> tensors, String input) {
    tensors.put(input, PlainKvCache.empty(segment.session(), sizes, owner, input));
  }

  @Override
  public Map<String, OnnxTensor> inputs(TensorScope run, int fresh) {
    Map<String, OnnxTensor> inputs = new HashMap<>(prompt);
    inputs.putAll(tail);
    return inputs;
  }

  @Override
  public Set<String> outputs() {
    Set<String> names = new HashSet<>();
    forEachLayerAndKind(
        (layer, key) -> fields.forEach(field -> names.add(KvCacheNames.grown(layer, key, field))));
    return names;
  }

  @Override
  public void append(TensorScope run, Map<String, OnnxTensor> out, int fresh) {
    tailOwner.close();
    forEachLayerAndKind(
        (layer, key) -> {
          for (Field field : fields) {
            OnnxTensor grown = out.get(KvCacheNames.grown(layer, key, field));
            tail.put(tailOf(layer, key, field), tailOwner.transferFrom(run, grown));
          }
        });
  }

  /** Replaces what the prompt left, or so far has, by what is made of the tail. */
  final void keep(Function<TensorScope, Map<String, OnnxTensor>> made) {
    TensorScope next = promptOwner.newScope();
    try {
      Map<String, OnnxTensor> put = made.apply(next);
      promptOwner.close();
      promptOwner = next;
      prompt = put;
    } catch (RuntimeException e) {
      next.close();
      throw e;
    }
    emptyTail();
    attention.clear();
    prefillDone = true;
  }

  @Override
  public long bytes() {
    return PlainKvCache.bytes(prompt) + PlainKvCache.bytes(tail);
  }

  @Override
  public void close() {
    promptOwner.close();
    tailOwner.close();
  }
}

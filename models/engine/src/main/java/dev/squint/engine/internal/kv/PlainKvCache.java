package dev.squint.engine.internal.kv;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.TensorInfo;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.session.TokenPicker;
import dev.squint.error.ModelException;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.io.Printable;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Keys and values as the exported graph takes them in and hands them out. */
final class PlainKvCache implements KvCache {

  private static final int RANK = 4;
  private static final int HEADS_AXIS = 1;
  private static final int WIDTH_AXIS = 3;

  private final boolean lookahead;
  private final TokenPicker picker;
  private TensorScope owner;
  private Map<String, OnnxTensor> past = new HashMap<>();
  private int tokens;

  PlainKvCache(SplitDecoder.Segment segment, ModelConfig.Text sizes, TensorScope owner) {
    this.owner = owner;
    this.picker = segment.picker();
    this.lookahead = segment.spec().lookahead();
    try {
      for (int layer = segment.spec().from(); layer < segment.spec().to(); layer++) {
        putEmpty(segment.session(), sizes, DecoderGraph.past(layer, true));
        putEmpty(segment.session(), sizes, DecoderGraph.past(layer, false));
      }
    } catch (RuntimeException e) {
      owner.close();
      throw e;
    }
  }

  private PlainKvCache(PlainKvCache of, int tokens, TensorScope owner) {
    this.owner = owner;
    this.picker = of.picker;
    this.lookahead = of.lookahead;
    this.tokens = tokens;
    int[] first = IntStream.range(0, tokens).toArray();
    try {
      of.past.forEach((input, stored) -> past.put(input, picker.pick(owner, stored, first)));
    } catch (RuntimeException e) {
      owner.close();
      throw e;
    }
  }

  @Override
  public KvCache copyOfFirst(int count, TensorScope to) {
    return new PlainKvCache(this, count, to);
  }

  private void putEmpty(ModelSession session, ModelConfig.Text sizes, String input) {
    if (!lookahead || session.inputs().contains(input)) {
      past.put(input, empty(session, sizes, owner, input));
    }
  }

  /** A cache input without tokens. */
  static OnnxTensor empty(
      ModelSession session, ModelConfig.Text sizes, TensorScope owner, String input) {
    if (!session.inputs().contains(input)) {
      throw new ModelException(
          "the decoder does not read its own cache '%s'; export it with its KV cache"
              .formatted(input));
    }
    TensorInfo info = session.input(input);
    long[] shape = info.getShape();
    if (shape.length != RANK) {
      throw new ModelException(
          "the cache '%s' has %d axes, but [1, heads, tokens, width] is known here; export the decoder again"
              .formatted(Printable.of(input), shape.length));
    }
    long heads = shape[HEADS_AXIS] > 0 ? shape[HEADS_AXIS] : sizes.kvHeads();
    long width = shape[WIDTH_AXIS] > 0 ? shape[WIDTH_AXIS] : sizes.headDim();
    return owner.empty(info.type, 1, heads, 0, width);
  }

  @Override
  public int tokens() {
    return tokens;
  }

  @Override
  public Map<String, OnnxTensor> inputs(TensorScope run, int fresh) {
    return past;
  }

  @Override
  public Set<String> outputs() {
    return lookahead
        ? Set.of()
        : past.keySet().stream().map(PlainKvCache::presentOf).collect(Collectors.toSet());
  }

  /** The output of what is an input. */
  static String presentOf(String past) {
    return past.replace("past_key_values", "present");
  }

  @Override
  public void append(TensorScope run, Map<String, OnnxTensor> out, int fresh) {
    if (lookahead) {
      return;
    }
    TensorScope next = owner.newScope();
    Map<String, OnnxTensor> grown = new HashMap<>();
    for (String input : past.keySet()) {
      grown.put(input, next.transferFrom(run, out.get(presentOf(input))));
    }
    owner.close();
    owner = next;
    past = grown;
    tokens += fresh;
  }

  @Override
  public void onPrefillDone(boolean[] visual) {}

  @Override
  public long bytes() {
    return bytes(past);
  }

  /** Bytes of some tensors. */
  static long bytes(Map<String, OnnxTensor> tensors) {
    return tensors.values().stream()
        .map(OnnxTensor::getInfo)
        .mapToLong(info -> info.getNumElements() * info.type.size)
        .sum();
  }

  @Override
  public void close() {
    owner.close();
  }
}

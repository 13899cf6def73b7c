package dev.squint.engine.internal.kv;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.error.ModelException;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.KvCacheLayout;
import dev.squint.onnx.internal.decoder.KvCacheNames;
import dev.squint.onnx.internal.decoder.KvCacheNames.Field;
import dev.squint.pruning.cache.KvCachePlan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Keys and values of which each KV head keeps a number of its own. They rest one after the other
 * without gaps; the layer that runs alone has a copy in which all heads are as long as the longest.
 */
final class PerHeadKvCache extends TailedCache {

  private final KvCacheLayout.Ragged form;
  private final KvCachePlan.PerHead plan;
  private int longest;
  private int tailTokens;

  PerHeadKvCache(
      SplitDecoder.Segment segment,
      KvCacheLayout.Ragged form,
      ModelConfig.Text sizes,
      TensorScope owner,
      KvCachePlan.PerHead plan) {
    super(segment, sizes, owner, List.of(Field.VALUES));
    this.form = form;
    this.plan = plan;
    try {
      emptyTail();
      forEachLayerAndKind(
          (layer, key) -> {
            OnnxTensor empty = tail.get(tailOf(layer, key, Field.VALUES));
            long[] shape = empty.getInfo().getShape();
            requireHeads(layer, (int) shape[1]);
            OnnxTensor none = owner.empty(empty.getInfo().type, 0, shape[3]);
            prompt.put(KvCacheNames.flat(layer, key), none);
          });
      for (int layer = from; layer < to; layer++) {
        putPlaces(owner, prompt, layer, new int[kvHeads(layer)][0]);
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void putPlaces(
      TensorScope owner, Map<String, OnnxTensor> tensors, int layer, int[][] stays) {
    tensors.put(KvCacheNames.places(layer), places(owner, stays));
    tensors.put(KvCacheNames.bias(layer), bias(owner, stays));
  }

  private void requireHeads(int layer, int heads) {
    if (heads != kvHeads(layer)) {
      throw new ModelException(
          "%s has %d KV heads in its graph, but config.json says %d; the files do not belong together"
              .formatted(DecoderGraph.past(layer, true), heads, kvHeads(layer)));
    }
  }

  private int kvHeads(int layer) {
    return plan.weights().get(layer).size();
  }

  @Override
  public int tokens() {
    return longest + tailTokens;
  }

  @Override
  public Map<String, OnnxTensor> inputs(TensorScope run, int fresh) {
    Map<String, OnnxTensor> inputs = super.inputs(run, fresh);
    int[] rows = IntStream.range(Math.max(0, fresh - plan.window()), fresh).toArray();
    inputs.put(KvCacheNames.ROWS, run.indices(rows, rows.length));
    return inputs;
  }

  @Override
  public Set<String> outputs() {
    Set<String> names = super.outputs();
    for (int layer = from; layer < to && !prefillDone; layer++) {
      names.add(KvCacheNames.attention(layer));
    }
    return names;
  }

  @Override
  public void append(TensorScope run, Map<String, OnnxTensor> out, int fresh) {
    super.append(run, out, fresh);
    for (int layer = from; layer < to && !prefillDone; layer++) {
      attention.put(layer, TensorScope.valuesOf(out.get(KvCacheNames.attention(layer))));
    }
    tailTokens += fresh;
  }

  @Override
  public void onPrefillDone(boolean[] visual) {
    Map<Integer, int[][]> stays = new HashMap<>();
    for (int layer = from; layer < to; layer++) {
      int[][] perHead = new int[kvHeads(layer)][];
      for (int head = 0; head < perHead.length; head++) {
        perHead[head] = plan.stays(layer, head, visual, ofGroup(layer, head, visual.length));
        longest = Math.max(longest, perHead[head].length);
      }
      stays.put(layer, perHead);
    }
    keep(next -> packed(next, stays, visual.length));
    tailTokens = 0;
  }

  private Map<String, OnnxTensor> packed(
      TensorScope owner, Map<Integer, int[][]> stays, int tokens) {
    Map<String, OnnxTensor> put = new HashMap<>();
    for (int layer = from; layer < to; layer++) {
      int[][] perHead = stays.get(layer);
      int[] rows =
          IntStream.range(0, perHead.length)
              .flatMap(head -> IntStream.of(perHead[head]).map(t -> head * tokens + t))
              .toArray();
      for (boolean key : new boolean[] {true, false}) {
        OnnxTensor all = tail.get(tailOf(layer, key, Field.VALUES));
        put.put(KvCacheNames.flat(layer, key), segment.picker().perHead(owner, all, rows));
        tailOwner.release(all);
      }
      putPlaces(owner, put, layer, perHead);
    }
    return put;
  }

  /** The attention to each token, mean over the heads that share a KV head. */
  private float[] ofGroup(int layer, int kvHead, int tokens) {
    float[] all = attention.get(layer);
    int group = form.heads() / kvHeads(layer);
    float[] mean = new float[tokens];
    for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
      for (int token = 0; token < tokens; token++) {
        mean[token] += all[head * tokens + token] / group;
      }
    }
    return mean;
  }

  private OnnxTensor places(TensorScope owner, int[][] stays) {
    ByteBuffer buffer = direct(stays.length * longest);
    int first = 0;
    for (int[] head : stays) {
      for (int i = 0; i < longest; i++) {
        buffer.putInt(i < head.length ? first + i : 0);
      }
      first += head.length;
    }
    return owner.bytes(OnnxJavaType.INT32, buffer.flip(), 1, stays.length, longest);
  }

  private OnnxTensor bias(TensorScope owner, int[][] stays) {
    int group = form.heads() / stays.length;
    ByteBuffer buffer = direct(form.heads() * longest);
    for (int head = 0; head < form.heads(); head++) {
      for (int i = 0; i < longest; i++) {
        buffer.putFloat(i < stays[head / group].length ? 0 : Float.NEGATIVE_INFINITY);
      }
    }
    return owner.bytes(OnnxJavaType.FLOAT, buffer.flip(), form.heads(), 1, longest);
  }

  private static ByteBuffer direct(int numbers) {
    return ByteBuffer.allocateDirect(numbers * Integer.BYTES).order(ByteOrder.nativeOrder());
  }
}

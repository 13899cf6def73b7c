package dev.squint.models;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import dev.squint.models.graph.CacheForm;
import dev.squint.models.graph.CacheNames;
import dev.squint.models.graph.CacheNames.Field;
import dev.squint.models.graph.CacheNames.Part;
import dev.squint.models.graph.DecoderGraph;
import dev.squint.models.runtime.TensorScope;
import dev.squint.pruning.CachePlan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Keys and values of which each KV head keeps a number of its own. They rest one behind the other
 * without gaps; the layer at work alone has a copy in which all heads are as long as the longest.
 */
final class RaggedCache implements SegmentCache {

  private final OpenSegments.Segment segment;
  private final CacheForm.Ragged form;
  private final ModelConfig.Text sizes;
  private final CachePlan.PerHead plan;
  private TensorScope promptOwner;
  private TensorScope tailOwner;
  private Map<String, OnnxTensor> prompt = new HashMap<>();
  private Map<String, OnnxTensor> tail = new HashMap<>();
  private final Map<Integer, float[]> attention = new HashMap<>();
  private boolean settled;
  private int longest;
  private int tailTokens;

  RaggedCache(
      OpenSegments.Segment segment,
      CacheForm.Ragged form,
      ModelConfig.Text sizes,
      TensorScope owner,
      CachePlan.PerHead plan) {
    this.segment = segment;
    this.form = form;
    this.sizes = sizes;
    this.plan = plan;
    this.promptOwner = owner;
    this.tailOwner = owner.sibling();
    try {
      for (int layer = from(); layer < to(); layer++) {
        putEmptyTail(layer);
        for (boolean key : new boolean[] {true, false}) {
          OnnxTensor empty = tail.get(tailOf(layer, key));
          long[] shape = empty.getInfo().getShape();
          requireHeads(layer, (int) shape[1]);
          OnnxTensor none = owner.empty(empty.getInfo().type, 0, shape[3]);
          prompt.put(CacheNames.flat(layer, key), none);
        }
        prompt.put(CacheNames.places(layer), places(owner, new int[kvHeads(layer)][0], 0));
        prompt.put(CacheNames.bias(layer), bias(owner, new int[kvHeads(layer)][0], 0));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void requireHeads(int layer, int heads) {
    if (heads != kvHeads(layer)) {
      throw new ModelException(
          "%s has %d KV heads in its graph, but config.json says %d; the files do not belong together"
              .formatted(DecoderGraph.past(layer, true), heads, kvHeads(layer)));
    }
  }

  private int from() {
    return segment.spec().from();
  }

  private int to() {
    return segment.spec().to();
  }

  private int kvHeads(int layer) {
    return plan.weights().get(layer).size();
  }

  private static String tailOf(int layer, boolean key) {
    return CacheNames.stored(layer, key, Part.TAIL, Field.VALUES);
  }

  private void putEmptyTail(int layer) {
    for (boolean key : new boolean[] {true, false}) {
      String input = tailOf(layer, key);
      tail.put(input, WholeCache.empty(segment.session(), sizes, tailOwner, input));
    }
  }

  @Override
  public int tokens() {
    return longest + tailTokens;
  }

  @Override
  public Map<String, OnnxTensor> inputs(TensorScope run, int fresh) {
    Map<String, OnnxTensor> inputs = new HashMap<>(prompt);
    inputs.putAll(tail);
    int[] rows = IntStream.range(Math.max(0, fresh - plan.window()), fresh).toArray();
    inputs.put(CacheNames.ROWS, run.indices(rows, rows.length));
    return inputs;
  }

  @Override
  public Set<String> outputs() {
    Set<String> names = new HashSet<>();
    for (int layer = from(); layer < to(); layer++) {
      names.add(CacheNames.grown(layer, true, Field.VALUES));
      names.add(CacheNames.grown(layer, false, Field.VALUES));
      if (!settled) {
        names.add(CacheNames.attention(layer));
      }
    }
    return names;
  }

  @Override
  public void take(TensorScope run, Map<String, OnnxTensor> out, int fresh) {
    TensorScope next = tailOwner.sibling();
    Map<String, OnnxTensor> grown = new HashMap<>();
    for (int layer = from(); layer < to(); layer++) {
      for (boolean key : new boolean[] {true, false}) {
        OnnxTensor tensor = out.get(CacheNames.grown(layer, key, Field.VALUES));
        grown.put(tailOf(layer, key), next.adopt(run, tensor));
      }
      if (!settled) {
        attention.put(layer, TensorScope.valuesOf(out.get(CacheNames.attention(layer))));
      }
    }
    tailOwner.close();
    tailOwner = next;
    tail = grown;
    tailTokens += fresh;
  }

  @Override
  public void settle(boolean[] visual) {
    Map<Integer, int[][]> stays = new HashMap<>();
    for (int layer = from(); layer < to(); layer++) {
      int[][] perHead = new int[kvHeads(layer)][];
      for (int head = 0; head < perHead.length; head++) {
        perHead[head] = plan.stays(layer, head, visual, ofGroup(layer, head, visual.length));
        longest = Math.max(longest, perHead[head].length);
      }
      stays.put(layer, perHead);
    }
    TensorScope next = promptOwner.sibling();
    Map<String, OnnxTensor> put = new HashMap<>();
    try {
      for (int layer = from(); layer < to(); layer++) {
        int[][] perHead = stays.get(layer);
        int[] rows =
            IntStream.range(0, perHead.length)
                .flatMap(head -> IntStream.of(perHead[head]).map(t -> head * visual.length + t))
                .toArray();
        for (boolean key : new boolean[] {true, false}) {
          OnnxTensor all = tail.get(tailOf(layer, key));
          put.put(CacheNames.flat(layer, key), segment.picker().perHead(next, all, rows));
          tailOwner.release(all);
        }
        put.put(CacheNames.places(layer), places(next, perHead, longest));
        put.put(CacheNames.bias(layer), bias(next, perHead, longest));
      }
    } catch (RuntimeException e) {
      next.close();
      throw e;
    }
    promptOwner.close();
    promptOwner = next;
    prompt = put;
    tailOwner.close();
    tail.clear();
    for (int layer = from(); layer < to(); layer++) {
      putEmptyTail(layer);
    }
    tailTokens = 0;
    attention.clear();
    settled = true;
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

  private static OnnxTensor places(TensorScope owner, int[][] stays, int longest) {
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

  private OnnxTensor bias(TensorScope owner, int[][] stays, int longest) {
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

  @Override
  public long bytes() {
    return WholeCache.bytes(prompt) + WholeCache.bytes(tail);
  }

  @Override
  public void close() {
    promptOwner.close();
    tailOwner.close();
  }
}

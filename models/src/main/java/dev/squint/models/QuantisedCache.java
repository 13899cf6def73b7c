package dev.squint.models;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import dev.squint.models.graph.CacheForm;
import dev.squint.models.graph.CacheNames;
import dev.squint.models.graph.CacheNames.Field;
import dev.squint.models.graph.CacheNames.Part;
import dev.squint.models.runtime.TensorScope;
import dev.squint.pruning.CachePlan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Keys and values as whole numbers of few bits. What the prompt left never moves again; a tail of
 * generated tokens grows behind it.
 */
final class QuantisedCache implements SegmentCache {

  private final OpenSegments.Segment segment;
  private final CacheForm.Quantised form;
  private final ModelConfig.Text sizes;
  private final Optional<CachePlan.Quantised> plan;
  private TensorScope promptOwner;
  private TensorScope tailOwner;
  private TensorScope lowOwner;
  private Map<String, OnnxTensor> prompt = new HashMap<>();
  private Map<String, OnnxTensor> tail = new HashMap<>();
  private final Map<String, OnnxTensor> low = new HashMap<>();
  private final Map<Integer, float[]> attention = new HashMap<>();
  private boolean settled;
  private int asking;
  private int tokens;

  QuantisedCache(
      OpenSegments.Segment segment,
      CacheForm.Quantised form,
      ModelConfig.Text sizes,
      TensorScope owner,
      Optional<CachePlan> plan) {
    this.segment = segment;
    this.form = form;
    this.sizes = sizes;
    this.plan = plan.map(CachePlan.Quantised.class::cast);
    this.promptOwner = owner;
    this.tailOwner = owner.sibling();
    this.lowOwner = owner.sibling();
    try {
      for (int layer = from(); layer < to(); layer++) {
        for (boolean key : new boolean[] {true, false}) {
          putEmpty(promptOwner, prompt, layer, key, Part.HIGH);
          putEmpty(tailOwner, tail, layer, key, Part.TAIL);
          if (mixed()) {
            putEmpty(promptOwner, prompt, layer, key, Part.LOW);
          }
        }
        if (mixed()) {
          prompt.put(CacheNames.order(layer), order(promptOwner, new int[0]));
        }
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private int from() {
    return segment.spec().from();
  }

  private int to() {
    return segment.spec().to();
  }

  private boolean mixed() {
    return form.low() > 0;
  }

  private int bits(Part part) {
    return part == Part.LOW ? form.low() : form.bits();
  }

  private void putEmpty(
      TensorScope owner, Map<String, OnnxTensor> tensors, int layer, boolean key, Part part) {
    for (Field field : Field.of(bits(part))) {
      String input = CacheNames.stored(layer, key, part, field);
      tensors.put(input, WholeCache.empty(segment.session(), sizes, owner, input));
    }
  }

  @Override
  public int tokens() {
    return tokens;
  }

  @Override
  public Map<String, OnnxTensor> inputs(TensorScope run, int fresh) {
    Map<String, OnnxTensor> inputs = new HashMap<>(prompt);
    inputs.putAll(tail);
    if (mixed()) {
      asking = Math.min(fresh, plan.map(CachePlan.Quantised::window).orElse(1));
      int[] rows = IntStream.range(fresh - asking, fresh).toArray();
      inputs.put(CacheNames.ROWS, run.indices(rows, rows.length));
    }
    return inputs;
  }

  @Override
  public Set<String> outputs() {
    Set<String> names = new HashSet<>();
    for (int layer = from(); layer < to(); layer++) {
      for (boolean key : new boolean[] {true, false}) {
        for (Field field : Field.of(form.bits())) {
          names.add(CacheNames.grown(layer, key, field));
        }
        if (mixed() && !settled) {
          for (Field field : Field.of(form.low())) {
            names.add(CacheNames.low(layer, key, field));
          }
        }
      }
      if (mixed() && !settled) {
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
        for (Field field : Field.of(form.bits())) {
          OnnxTensor tensor = out.get(CacheNames.grown(layer, key, field));
          grown.put(CacheNames.stored(layer, key, Part.TAIL, field), next.adopt(run, tensor));
        }
        if (mixed() && !settled) {
          for (Field field : Field.of(form.low())) {
            String name = CacheNames.low(layer, key, field);
            low.put(name, lowOwner.adopt(run, out.get(name)));
          }
        }
      }
      if (mixed() && !settled) {
        attention.put(layer, perViewer(out.get(CacheNames.attention(layer))));
      }
    }
    tailOwner.close();
    tailOwner = next;
    tail = grown;
    tokens += fresh;
  }

  /** The mean over those of the asking tokens that see a token. */
  private float[] perViewer(OnnxTensor mean) {
    float[] values = TensorScope.valuesOf(mean);
    for (int token = values.length - asking; token < values.length; token++) {
      int viewers = values.length - token;
      values[token] = values[token] * asking / viewers;
    }
    return values;
  }

  @Override
  public void settle(boolean[] visual) {
    TensorScope next = promptOwner.sibling();
    try {
      Map<String, OnnxTensor> put = mixed() ? mixture(next, visual) : moved(next);
      promptOwner.close();
      promptOwner = next;
      prompt = put;
    } catch (RuntimeException e) {
      next.close();
      throw e;
    }
    lowOwner.close();
    tailOwner.close();
    low.clear();
    attention.clear();
    tail.clear();
    for (int layer = from(); layer < to(); layer++) {
      putEmpty(tailOwner, tail, layer, true, Part.TAIL);
      putEmpty(tailOwner, tail, layer, false, Part.TAIL);
    }
    settled = true;
  }

  /** The tail as it is becomes what the prompt left. */
  private Map<String, OnnxTensor> moved(TensorScope owner) {
    Map<String, OnnxTensor> put = new HashMap<>();
    for (int layer = from(); layer < to(); layer++) {
      for (boolean key : new boolean[] {true, false}) {
        for (Field field : Field.of(form.bits())) {
          OnnxTensor tensor = tail.get(CacheNames.stored(layer, key, Part.TAIL, field));
          put.put(CacheNames.stored(layer, key, Part.HIGH, field), owner.adopt(tailOwner, tensor));
        }
      }
    }
    return put;
  }

  private Map<String, OnnxTensor> mixture(TensorScope owner, boolean[] visual) {
    Map<String, OnnxTensor> put = new HashMap<>();
    for (int layer = from(); layer < to(); layer++) {
      int[] salient = plan.orElseThrow().salient(layer, visual, attention.get(layer));
      boolean[] isSalient = new boolean[tokens];
      for (int token : salient) {
        isSalient[token] = true;
      }
      int[] others = IntStream.range(0, tokens).filter(token -> !isSalient[token]).toArray();
      int[] order = new int[tokens];
      for (int i = 0; i < others.length; i++) {
        order[others[i]] = i;
      }
      for (int i = 0; i < salient.length; i++) {
        order[salient[i]] = others.length + i;
      }
      put.put(CacheNames.order(layer), order(owner, order));
      for (boolean key : new boolean[] {true, false}) {
        for (Field field : Field.of(form.bits())) {
          OnnxTensor all = tail.get(CacheNames.stored(layer, key, Part.TAIL, field));
          put.put(CacheNames.stored(layer, key, Part.HIGH, field), pick(owner, all, salient));
          tailOwner.release(all);
        }
        for (Field field : Field.of(form.low())) {
          OnnxTensor all = low.get(CacheNames.low(layer, key, field));
          put.put(CacheNames.stored(layer, key, Part.LOW, field), pick(owner, all, others));
          lowOwner.release(all);
        }
      }
    }
    return put;
  }

  private static OnnxTensor order(TensorScope owner, int[] places) {
    ByteBuffer buffer =
        ByteBuffer.allocateDirect(places.length * Integer.BYTES).order(ByteOrder.nativeOrder());
    buffer.asIntBuffer().put(places);
    return owner.bytes(OnnxJavaType.INT32, buffer, places.length);
  }

  private OnnxTensor pick(TensorScope owner, OnnxTensor all, int[] rows) {
    return segment.picker().pick(owner, all, rows);
  }

  @Override
  public long bytes() {
    return WholeCache.bytes(prompt) + WholeCache.bytes(tail);
  }

  @Override
  public void close() {
    promptOwner.close();
    tailOwner.close();
    lowOwner.close();
  }
}

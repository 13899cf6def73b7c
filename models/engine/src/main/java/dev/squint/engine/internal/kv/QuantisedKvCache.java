package dev.squint.engine.internal.kv;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.KvCacheLayout;
import dev.squint.onnx.internal.decoder.KvCacheNames;
import dev.squint.onnx.internal.decoder.KvCacheNames.Field;
import dev.squint.onnx.internal.decoder.KvCacheNames.Part;
import dev.squint.pruning.cache.KvCachePlan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** Keys and values as whole numbers of few bits. */
final class QuantisedKvCache extends TailedCache {

  private final KvCacheLayout.Quantised form;
  private final Optional<KvCachePlan.Quantised> plan;
  private final TensorScope lowOwner;
  private final Map<String, OnnxTensor> low = new HashMap<>();
  private int asking;
  private int tokens;

  QuantisedKvCache(
      SplitDecoder.Segment segment,
      KvCacheLayout.Quantised form,
      ModelConfig.Text sizes,
      TensorScope owner,
      Optional<KvCachePlan> plan) {
    super(segment, sizes, owner, Field.of(form.bits()));
    this.form = form;
    this.plan = plan.map(KvCachePlan.Quantised.class::cast);
    this.lowOwner = owner.newScope();
    try {
      emptyTail();
      forEachLayerAndKind(
          (layer, key) -> {
            putEmpty(layer, key, Part.HIGH);
            if (mixed()) {
              putEmpty(layer, key, Part.LOW);
            }
          });
      for (int layer = from; layer < to && mixed(); layer++) {
        prompt.put(KvCacheNames.order(layer), order(promptOwner, new int[0]));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private boolean mixed() {
    return form.low() > 0;
  }

  private void putEmpty(int layer, boolean key, Part part) {
    for (Field field : Field.of(part == Part.LOW ? form.low() : form.bits())) {
      putEmpty(promptOwner, prompt, KvCacheNames.stored(layer, key, part, field));
    }
  }

  @Override
  public int tokens() {
    return tokens;
  }

  @Override
  public Map<String, OnnxTensor> inputs(TensorScope run, int fresh) {
    Map<String, OnnxTensor> inputs = super.inputs(run, fresh);
    if (mixed()) {
      asking = Math.min(fresh, plan.map(KvCachePlan.Quantised::window).orElse(1));
      int[] rows = IntStream.range(fresh - asking, fresh).toArray();
      inputs.put(KvCacheNames.ROWS, run.indices(rows, rows.length));
    }
    return inputs;
  }

  private boolean takesLow() {
    return mixed() && !prefillDone;
  }

  @Override
  public Set<String> outputs() {
    Set<String> names = super.outputs();
    for (int layer = from; layer < to && takesLow(); layer++) {
      for (Field field : Field.of(form.low())) {
        names.add(KvCacheNames.low(layer, true, field));
        names.add(KvCacheNames.low(layer, false, field));
      }
      names.add(KvCacheNames.attention(layer));
    }
    return names;
  }

  @Override
  public void append(TensorScope run, Map<String, OnnxTensor> out, int fresh) {
    super.append(run, out, fresh);
    if (takesLow()) {
      forEachLayerAndKind(
          (layer, key) -> {
            for (Field field : Field.of(form.low())) {
              String name = KvCacheNames.low(layer, key, field);
              low.put(name, lowOwner.transferFrom(run, out.get(name)));
            }
          });
      for (int layer = from; layer < to; layer++) {
        attention.put(layer, perViewer(out.get(KvCacheNames.attention(layer))));
      }
    }
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
  public void onPrefillDone(boolean[] visual) {
    keep(next -> mixed() ? mixture(next, visual) : moved(next));
    lowOwner.close();
    low.clear();
  }

  /** The tail as it is becomes what the prompt left. */
  private Map<String, OnnxTensor> moved(TensorScope owner) {
    Map<String, OnnxTensor> put = new HashMap<>();
    forEachLayerAndKind(
        (layer, key) -> {
          for (Field field : Field.of(form.bits())) {
            OnnxTensor tensor = tail.get(tailOf(layer, key, field));
            put.put(
                KvCacheNames.stored(layer, key, Part.HIGH, field),
                owner.transferFrom(tailOwner, tensor));
          }
        });
    return put;
  }

  private Map<String, OnnxTensor> mixture(TensorScope owner, boolean[] visual) {
    Map<String, OnnxTensor> put = new HashMap<>();
    for (int layer = from; layer < to; layer++) {
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
      put.put(KvCacheNames.order(layer), order(owner, order));
      for (boolean key : new boolean[] {true, false}) {
        for (Field field : Field.of(form.bits())) {
          OnnxTensor all = tail.get(tailOf(layer, key, field));
          put.put(KvCacheNames.stored(layer, key, Part.HIGH, field), pick(owner, all, salient));
          tailOwner.release(all);
        }
        for (Field field : Field.of(form.low())) {
          OnnxTensor all = low.get(KvCacheNames.low(layer, key, field));
          put.put(KvCacheNames.stored(layer, key, Part.LOW, field), pick(owner, all, others));
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
  public void close() {
    super.close();
    lowOwner.close();
  }
}

package dev.squint.engine.internal.session;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.TensorInfo;
import ai.onnxruntime.platform.Fp16Conversions;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.tokens.RotaryPositions;
import dev.squint.fixtures.ExportFixture;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** The file of a fixture as any program would run it: one session, one cache. */
public final class UnsplitRun {

  private final ModelSession session;
  private final ExportFixture export;
  private final SessionFactory sessions;

  UnsplitRun(ModelSession session, ExportFixture export, SessionFactory sessions) {
    this.session = session;
    this.export = export;
    this.sessions = sessions;
  }

  /** Runs the prompt and its steps and adds the last row of the logits of each. */
  void run(List<float[]> logits) {
    int hidden = export.size("hidden");
    try (TensorScope scope = sessions.scope()) {
      Map<String, OnnxTensor> cache = emptyCache(scope);
      RotaryPositions prompt = positions(export, "positions");
      RotaryPositions steps = positions(export, "decodePositions");
      int tokens = export.size("tokens");
      int cached = 0;
      for (int step = 0; step <= steps.axes()[0].length; step++) {
        int rows = step == 0 ? tokens : 1;
        float[] embeds =
            step == 0
                ? export.array("embeds")
                : ExportFixture.row(export.array("decodeEmbeds"), step - 1, hidden);
        RotaryPositions at = step == 0 ? prompt : steps.gathered(new int[] {step - 1});
        Map<String, OnnxTensor> inputs = inputs(scope, cache, embeds, at, cached);
        Set<String> wanted = new HashSet<>(Set.of(DecoderGraph.LOGITS));
        cache.keySet().forEach(past -> wanted.add(past.replace("past_key_values", "present")));
        Map<String, OnnxTensor> out = session.run(scope, inputs, wanted);
        cache.replaceAll((past, old) -> out.get(past.replace("past_key_values", "present")));
        cached += rows;
        logits.add(lastRow(out.get(DecoderGraph.LOGITS), export));
      }
    }
  }

  /** What the whole prompt goes in as. */
  Map<String, OnnxTensor> prompt(TensorScope scope) {
    return inputs(
        scope, emptyCache(scope), export.array("embeds"), positions(export, "positions"), 0);
  }

  private Map<String, OnnxTensor> emptyCache(TensorScope scope) {
    Map<String, OnnxTensor> cache = new HashMap<>();
    for (String name : session.inputs()) {
      if (name.startsWith("past")) {
        TensorInfo info = session.input(name);
        cache.put(
            name, scope.empty(info.type, 1, export.size("kvHeads"), 0, export.size("headDim")));
      }
    }
    return cache;
  }

  private Map<String, OnnxTensor> inputs(
      TensorScope scope,
      Map<String, OnnxTensor> cache,
      float[] embeds,
      RotaryPositions at,
      int cached) {
    int hidden = export.size("hidden");
    int rows = embeds.length / hidden;
    Map<String, OnnxTensor> inputs = new HashMap<>(cache);
    inputs.put(DecoderGraph.EMBEDS, typed(scope, session, embeds, hidden));
    if (session.inputs().contains(DecoderGraph.POSITIONS)) {
      inputs.put(DecoderGraph.POSITIONS, at.tensor(scope));
    }
    long[] mask = new long[cached + rows];
    Arrays.fill(mask, 1);
    if (session.inputs().contains(DecoderGraph.MASK)) {
      inputs.put(DecoderGraph.MASK, scope.longs(mask, 1, mask.length));
    }
    if (session.inputs().contains(DecoderGraph.TOKEN_TYPES)) {
      inputs.put(DecoderGraph.TOKEN_TYPES, scope.longs(types(rows), 1, rows));
    }
    if (session.inputs().contains("use_cache_branch")) {
      inputs.put(
          "use_cache_branch",
          scope.bytes(OnnxJavaType.BOOL, ByteBuffer.allocateDirect(1).put(0, (byte) 1), 1));
    }
    return inputs;
  }

  private long[] types(int rows) {
    int start = export.size("visualStart");
    int end = start + export.size("visualLength");
    return IntStream.range(0, rows).mapToLong(r -> r >= start && r < end ? 1 : 0).toArray();
  }

  public static RotaryPositions positions(ExportFixture export, String field) {
    var lists = export.json().get(field);
    long[][] axes = new long[lists.size()][];
    for (int axis = 0; axis < axes.length; axis++) {
      axes[axis] = ExportFixture.stream(lists.get(axis)).toArray();
    }
    return new RotaryPositions(axes);
  }

  public static OnnxTensor embeds(TensorScope scope, float[] values, int hidden) {
    return scope.floats(FloatBuffer.wrap(values), 1, values.length / hidden, hidden);
  }

  private static OnnxTensor typed(
      TensorScope scope, ModelSession session, float[] values, int hidden) {
    long rows = values.length / hidden;
    if (session.input(DecoderGraph.EMBEDS).type != OnnxJavaType.FLOAT16) {
      return scope.floats(FloatBuffer.wrap(values), 1, rows, hidden);
    }
    ByteBuffer halves =
        ByteBuffer.allocateDirect(values.length * Short.BYTES).order(ByteOrder.nativeOrder());
    for (float value : values) {
      halves.putShort(Fp16Conversions.floatToFp16(value));
    }
    return scope.bytes(OnnxJavaType.FLOAT16, halves.flip(), 1, rows, hidden);
  }

  public static float[] floats(OnnxTensor tensor) {
    FloatBuffer buffer = tensor.getFloatBuffer();
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  public static float[] lastRow(OnnxTensor logits, ExportFixture export) {
    float[] all = floats(logits);
    return Arrays.copyOfRange(all, all.length - export.size("vocabulary"), all.length);
  }
}

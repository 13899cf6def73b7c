package dev.squint.engine.bench;

import ai.onnxruntime.OnnxTensor;
import com.sun.management.ThreadMXBean;
import dev.squint.engine.TestStrategy;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.internal.ort.ArenaPolicy;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.GenerationRequest;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.SamplingOptions;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.KvCacheLayout;
import dev.squint.onnx.internal.decoder.KvCacheNames;
import dev.squint.onnx.internal.decoder.SegmentExtractor;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** Generated token against generated token. */
final class DecodeTimes {

  private static final int TOKENS = 17;
  private static final int FURTHER_ROOM = 64;

  private DecodeTimes() {}

  /** The decoder in some segments, none of which drops anything, over the decoder in one. */
  static Map<String, ?> ofSegments(
      SyntheticModel model, int textTokens, int segments, int pairs, int threads) {
    ModelOptions options =
        ModelOptions.builder()
            .threads(threads)
            .cacheFolder(model.folder().resolve("cache"))
            .build();
    try (VisionLanguageModel open = VisionLanguageModel.open(model.folder(), options)) {
      SamplingOptions greedy = SamplingOptions.greedy();
      ModelInput prompt = model.prompt(textTokens);
      Answers whole = new Answers(open, prompt, split(model.sizes(), 1), greedy);
      Answers parts = new Answers(open, prompt, split(model.sizes(), segments), greedy);
      Map<String, Object> report = Pairs.measure(whole::nanos, parts::nanos, pairs).report();
      report.put("heapPerToken", Math.max(whole.heap, parts.heap));
      report.put("heapPerTokenInOne", whole.heap);
      return report;
    }
  }

  /** The least heap that a generated token takes, in bytes. */
  static long heap(
      VisionLanguageModel open, SyntheticModel model, int segments, SamplingOptions sampling) {
    Answers answers =
        new Answers(open, model.prompt(TOKENS), split(model.sizes(), segments), sampling);
    Pairs.measure(answers::nanos, answers::nanos, 1);
    return answers.heap;
  }

  private static TestStrategy split(DecoderSizes sizes, int wanted) {
    int segments = Math.min(wanted, sizes.layers());
    return new TestStrategy(
        "split",
        IntStream.range(1, segments)
            .map(part -> part * sizes.layers() / segments)
            .mapToObj(
                layer ->
                    new SitePlan(
                        new Site.BeforeLayer(layer),
                        Set.of(),
                        PositionPolicy.ORIGINAL,
                        (context, observations) ->
                            new Selection(
                                IntStream.range(0, context.visualTokens()).toArray(),
                                new float[0])))
            .toList());
  }

  /** Answers of one length; remembers the least heap that a token took. */
  private static final class Answers {
    private final VisionLanguageModel model;
    private final GenerationRequest request;
    private final List<Long> allocated = new ArrayList<>();
    private long heap = Long.MAX_VALUE;

    Answers(
        VisionLanguageModel model,
        ModelInput prompt,
        TestStrategy strategy,
        SamplingOptions sampling) {
      this.model = model;
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long thread = Thread.currentThread().getId();
      this.request =
          GenerationRequest.builder(prompt)
              .strategy(strategy)
              .options(GenerationOptions.builder().maxNewTokens(TOKENS).sampling(sampling).build())
              .listener(token -> allocated.add(threads.getThreadAllocatedBytes(thread)))
              .build();
    }

    /** Time of a decode step. */
    long nanos() {
      allocated.clear();
      long nanos = model.generate(request).trace().timings().decodeNanos();
      int last = allocated.size() - 1;
      if (last < TOKENS - 1) {
        throw new IllegalStateException("the answer ends after " + last + " tokens");
      }
      heap = Math.min(heap, (allocated.get(last) - allocated.get(1)) / (last - 1));
      return nanos / last;
    }
  }

  /** A KV cache that grows where it lies over one that is copied in each step, whole decoder. */
  static Map<String, ?> ofCaches(
      Path folder, DecoderSizes sizes, int tokens, int pairs, int threads) {
    OrtRuntime runtime = OrtRuntime.get(threads);
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(SyntheticModel.decoder(folder)));
    SegmentSpec copied = SegmentSpec.of(0, sizes.layers());
    SegmentSpec grown = decoder.growing(copied);
    if (!(grown.cache() instanceof KvCacheLayout.Growing)) {
      throw new IllegalStateException("the cache of this decoder cannot grow where it lies");
    }
    try (Cached base = new Cached(runtime, decoder, copied, sizes, tokens, threads);
        Cached other = new Cached(runtime, decoder, grown, sizes, tokens, threads)) {
      Map<String, Object> report = Pairs.measure(base::step, other::step, pairs).report();
      float largest = 0;
      for (int i = 0; i < base.logits.length; i++) {
        largest = Math.max(largest, Math.abs(base.logits[i] - other.logits[i]));
      }
      report.put("largestDifference", largest);
      return report;
    }
  }

  /** A decoder with a cache of equal tokens; each step adds one. */
  private static final class Cached implements AutoCloseable {
    private final ModelSession session;
    private final DecoderSizes sizes;
    private final TensorScope scope;
    private final boolean grows;
    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final Map<String, OnnxTensor> inPlace = new HashMap<>();
    private int tokens;
    private float[] logits = {};

    Cached(
        OrtRuntime runtime,
        DecoderGraph decoder,
        SegmentSpec spec,
        DecoderSizes sizes,
        int tokens,
        int threads) {
      this.sizes = sizes;
      this.tokens = tokens;
      this.grows = spec.cache() instanceof KvCacheLayout.Growing;
      this.scope = new TensorScope(runtime, new AtomicInteger());
      SegmentModel model = SegmentExtractor.extract(decoder, spec);
      Device cpu = Device.resolve(new ExecutionProvider.Cpu(), runtime);
      this.session =
          runtime.open(
              model.bytes(), model.folder(), cpu, threads, spec.toString(), ArenaPolicy.of(spec));
      for (int layer = 0; layer < sizes.layers(); layer++) {
        for (boolean key : new boolean[] {true, false}) {
          OnnxTensor past = past(tokens + (grows ? FURTHER_ROOM : 0));
          inputs.put(DecoderGraph.past(layer, key), past);
          if (grows) {
            inPlace.put(KvCacheNames.room(layer, key), past);
          }
        }
      }
    }

    private OnnxTensor past(int rows) {
      FloatBuffer values = floats(sizes.kvHeads() * rows * sizes.headDim());
      for (int i = 0; i < values.capacity(); i++) {
        values.put(i, i % sizes.headDim() / 64f);
      }
      return scope.floats(values, 1, sizes.kvHeads(), rows, sizes.headDim());
    }

    private static FloatBuffer floats(int count) {
      return ByteBuffer.allocateDirect(count * Float.BYTES)
          .order(ByteOrder.nativeOrder())
          .asFloatBuffer();
    }

    long step() {
      try (TensorScope run = scope.newScope()) {
        FloatBuffer embeds = floats(sizes.hidden());
        for (int i = 0; i < embeds.capacity(); i++) {
          embeds.put(i, (float) Math.sin(i));
        }
        long[] mask = new long[tokens + 1];
        Arrays.fill(mask, 1);
        inputs.put(DecoderGraph.EMBEDS, run.floats(embeds, 1, 1, sizes.hidden()));
        inputs.put(DecoderGraph.MASK, run.longs(mask, 1, mask.length));
        inputs.put(DecoderGraph.POSITIONS, run.longs(new long[] {tokens}, 1, 1));
        for (String name : List.of(KvCacheNames.BEGIN, KvCacheNames.PLACES, KvCacheNames.END)) {
          if (session.inputs().contains(name)) {
            long at = name.equals(KvCacheNames.END) ? tokens + 1 : tokens;
            inputs.put(name, run.longs(new long[] {at}, 1));
          }
        }
        Set<String> wanted = new LinkedHashSet<>(Set.of(DecoderGraph.LOGITS));
        for (int layer = 0; layer < sizes.layers() && !grows; layer++) {
          wanted.add(DecoderGraph.present(layer, true));
          wanted.add(DecoderGraph.present(layer, false));
        }
        long start = System.nanoTime();
        Map<String, OnnxTensor> out = session.run(run, inputs, wanted, inPlace);
        long nanos = System.nanoTime() - start;
        logits = TensorScope.valuesOf(out.get(DecoderGraph.LOGITS));
        for (int layer = 0; layer < sizes.layers() && !grows; layer++) {
          for (boolean key : new boolean[] {true, false}) {
            OnnxTensor present = out.get(DecoderGraph.present(layer, key));
            OnnxTensor old =
                inputs.put(DecoderGraph.past(layer, key), scope.transferFrom(run, present));
            scope.release(old);
          }
        }
        tokens++;
        return nanos;
      }
    }

    @Override
    public void close() {
      scope.close();
      session.close();
    }
  }
}

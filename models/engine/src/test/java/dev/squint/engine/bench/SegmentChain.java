package dev.squint.engine.bench;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.WholeFile;
import dev.squint.engine.internal.ort.ArenaPolicy;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.SharedWeights;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentExtractor;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
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
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** A decoder alone, in one piece or several, fed with random embeddings. */
final class SegmentChain implements AutoCloseable {

  /** How the decoder is split. */
  enum Split {
    /** The file itself, one session, the logits of all rows. */
    FILE,
    /** One segment of all layers, the logits of the last row: what a split is compared with. */
    WHOLE,
    /** Two segments with a seam before layer 2, as FastV splits. */
    BEFORE_LAYER_2,
    /** One segment per layer. */
    EVERY_LAYER,
    /** One segment per layer, each with a seam that keeps all tokens. */
    EVERY_LAYER_WITH_SEAMS
  }

  private record Link(
      ModelSession session,
      int from,
      int to,
      List<String> hiddenInputs,
      List<String> hiddenOutputs) {}

  private final OrtRuntime runtime;
  private final DecoderSizes sizes;
  private final List<Link> links = new ArrayList<>();

  private SegmentChain(OrtRuntime runtime, DecoderSizes sizes) {
    this.runtime = runtime;
    this.sizes = sizes;
  }

  static SegmentChain open(Path file, DecoderSizes sizes, Split split, int threads) {
    return open(file, sizes, split, threads, SharedWeights.none());
  }

  /** Opens a decoder whose matrices others may use too. */
  static SegmentChain open(
      Path file, DecoderSizes sizes, Split split, int threads, SharedWeights matrices) {
    OrtRuntime runtime = OrtRuntime.get(threads);
    Device cpu = Device.resolve(new ExecutionProvider.Cpu(), runtime);
    SegmentChain chain = new SegmentChain(runtime, sizes);
    try {
      if (split == Split.FILE) {
        ModelSession session = WholeFile.open(runtime, cpu, threads, file);
        chain.links.add(
            new Link(session, 0, sizes.layers(), List.of(DecoderGraph.EMBEDS), List.of()));
      } else {
        DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(file));
        for (SegmentSpec spec : specs(sizes.layers(), split)) {
          ArenaPolicy buffers = ArenaPolicy.of(spec);
          SegmentModel model = SegmentExtractor.extract(decoder, spec);
          ModelSession session =
              runtime.open(
                  model.bytes(),
                  model.folder(),
                  cpu,
                  threads,
                  spec.toString(),
                  buffers,
                  OrtRuntime.Weights.PREPARED,
                  matrices);
          chain.links.add(
              new Link(
                  session, spec.from(), spec.to(), model.hiddenInputs(), model.hiddenOutputs()));
        }
      }
      return chain;
    } catch (RuntimeException e) {
      chain.close();
      throw e;
    }
  }

  static List<SegmentSpec> specs(int layers, Split split) {
    if (split == Split.WHOLE) {
      return List.of(SegmentSpec.of(0, layers));
    }
    if (split == Split.BEFORE_LAYER_2) {
      return List.of(
          SegmentSpec.of(0, 2), new SegmentSpec(2, layers, Seam.GATHER, true, List.of()));
    }
    boolean seams = split == Split.EVERY_LAYER_WITH_SEAMS;
    return IntStream.range(0, layers)
        .mapToObj(
            layer ->
                new SegmentSpec(
                    layer,
                    layer + 1,
                    seams && layer > 0 ? Seam.GATHER : Seam.NONE,
                    false,
                    List.of()))
        .toList();
  }

  /**
   * A prefill.
   *
   * @param nanos from the embeddings to the logits
   * @param lastRow logits of the last token
   */
  record Prefill(long nanos, float[] lastRow) {}

  /** Runs a prompt of random embeddings, the same for all chains of these sizes. */
  Prefill prefill(int tokens) {
    try (TensorScope scope = new TensorScope(runtime, new AtomicInteger())) {
      FloatBuffer embeds =
          ByteBuffer.allocateDirect(tokens * sizes.hidden() * Float.BYTES)
              .order(ByteOrder.nativeOrder())
              .asFloatBuffer();
      Random random = new Random(11);
      while (embeds.hasRemaining()) {
        embeds.put((float) random.nextGaussian());
      }
      OnnxTensor first = scope.floats(embeds.flip(), 1, tokens, sizes.hidden());
      long start = System.nanoTime();
      OnnxTensor logits = run(scope, first, tokens);
      long nanos = System.nanoTime() - start;
      return new Prefill(nanos, lastRow(logits));
    }
  }

  /** The KV cache stays in the scope, hidden states leave with their last reader. */
  private OnnxTensor run(TensorScope scope, OnnxTensor embeds, int tokens) {
    List<OnnxTensor> hidden = List.of(embeds);
    for (Link link : links) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      for (int i = 0; i < link.hiddenInputs.size(); i++) {
        inputs.put(link.hiddenInputs.get(i), hidden.get(i));
      }
      for (String name : link.session.inputs()) {
        if (!inputs.containsKey(name)) {
          inputs.put(name, input(scope, link, name, tokens));
        }
      }
      List<String> results =
          link.hiddenOutputs.isEmpty() ? List.of(DecoderGraph.LOGITS) : link.hiddenOutputs;
      Set<String> wanted = new LinkedHashSet<>(results);
      for (int layer = link.from; layer < link.to; layer++) {
        wanted.add(DecoderGraph.present(layer, true));
        wanted.add(DecoderGraph.present(layer, false));
      }
      Map<String, OnnxTensor> out = link.session.run(scope, inputs, wanted);
      hidden.forEach(scope::release);
      hidden = results.stream().map(out::get).toList();
    }
    return hidden.get(0);
  }

  private OnnxTensor input(TensorScope scope, Link link, String name, int tokens) {
    if (name.startsWith("past_key_values.")) {
      return scope.empty(link.session.inputType(name), 1, sizes.kvHeads(), 0, sizes.headDim());
    }
    if (name.equals(DecoderGraph.MASK)) {
      long[] mask = new long[tokens];
      Arrays.fill(mask, 1);
      return scope.longs(mask, 1, tokens);
    }
    if (name.equals(SegmentModel.KEEP)) {
      return scope.indices(IntStream.range(0, tokens).toArray(), tokens);
    }
    if (name.startsWith(DecoderGraph.POSITIONS)) {
      return scope.longs(LongStream.range(0, tokens).toArray(), 1, tokens);
    }
    throw new IllegalStateException("a segment has the input '" + name + "'");
  }

  private float[] lastRow(OnnxTensor logits) {
    FloatBuffer values = logits.getFloatBuffer();
    float[] row = new float[sizes.vocabulary()];
    values.get(values.remaining() - row.length, row);
    return row;
  }

  @Override
  public void close() {
    links.forEach(link -> link.session.close());
    links.clear();
  }
}

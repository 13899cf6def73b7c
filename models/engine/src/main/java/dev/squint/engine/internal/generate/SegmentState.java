package dev.squint.engine.internal.generate;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.kv.KvCache;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.tokens.LiveTokens;
import dev.squint.engine.internal.tokens.MergeMatrix;
import dev.squint.engine.internal.tokens.RotaryPositions;
import dev.squint.engine.internal.tokens.SeamRows;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.RowInput;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.onnx.internal.observe.TapNames;
import dev.squint.pruning.cache.KvCachePlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** One segment in one request: it owns the KV cache of its layers. */
public final class SegmentState implements AutoCloseable {

  /** A row that is always there: ONNX Runtime divides by the length of an axis that it folds. */
  private static final int[] ANY = {0};

  private final SplitDecoder.Segment segment;
  private final KvCache cache;
  private long nextPosition;

  public SegmentState(SplitDecoder.Segment segment, ModelConfig.Text sizes, TensorScope owner) {
    this(segment, sizes, owner, Optional.empty());
  }

  public SegmentState(
      SplitDecoder.Segment segment,
      ModelConfig.Text sizes,
      TensorScope owner,
      Optional<KvCachePlan> plan) {
    this.segment = segment;
    this.cache = KvCache.of(segment, sizes, owner, plan);
  }

  private SegmentState(SplitDecoder.Segment segment, KvCache cache, long nextPosition) {
    this.segment = segment;
    this.cache = cache;
    this.nextPosition = nextPosition;
  }

  /** The same without its last tokens, with a cache of its own. */
  SegmentState copyWithoutLast(int tokens, TensorScope owner) {
    return new SegmentState(
        segment, cache.copyOfFirst(cache.tokens() - tokens, owner), nextPosition - tokens);
  }

  /** Finds live rows, counted after the seam. */
  @FunctionalInterface
  interface Observed {
    int[] rows(RowInput input);
  }

  /**
   * What a segment takes in.
   *
   * @param hidden hidden states of all rows that arrive
   * @param positions rotary positions of all rows that arrive and of merged ones
   * @param types for each of these 1 if it is a visual token, else 0
   * @param keptRows the rows that go on; merged ones count after the arriving ones
   * @param merges how merged rows are made, of rows that arrive
   * @param observed finds the rows that are looked at; empty if nothing is observed
   */
  public record Input(
      List<OnnxTensor> hidden,
      RotaryPositions positions,
      long[] types,
      int[] keptRows,
      MergeMatrix merges,
      Optional<Observed> observed) {

    /** What a seam lets in. */
    public static Input of(List<OnnxTensor> hidden, SeamRows seam, Optional<Observed> observed) {
      return new Input(
          hidden,
          seam.positions(),
          seam.arriving().types(),
          seam.keptRows(),
          seam.merges(),
          observed);
    }
  }

  /**
   * What a segment returns, owned by the scope given to {@link SegmentState#run}.
   *
   * @param hidden hidden states for the next segment, or the logits alone
   * @param taps what was tapped, by output name; empty unless the input asked for tokens
   */
  public record Output(List<OnnxTensor> hidden, Map<String, OnnxTensor> taps) {}

  public Output run(TensorScope scope, Input in) {
    ModelSession session = segment.session();
    boolean lookahead = segment.spec().lookahead();
    List<String> hiddenOutputs =
        segment.isLast() && !lookahead ? List.of(DecoderGraph.LOGITS) : segment.hiddenOutputs();
    List<String> taps =
        in.observed().isEmpty()
            ? List.of()
            : segment.spec().taps().stream().map(TapNames::output).toList();
    Set<String> wanted = new LinkedHashSet<>(hiddenOutputs);
    wanted.addAll(taps);
    wanted.addAll(cache.outputs());
    try (TensorScope run = scope.newScope()) {
      Map<String, OnnxTensor> out = session.run(run, inputs(run, in), wanted);
      cache.append(run, out, in.keptRows().length);
      List<OnnxTensor> hidden = new ArrayList<>();
      hiddenOutputs.forEach(name -> hidden.add(scope.transferFrom(run, out.get(name))));
      Map<String, OnnxTensor> tapped = new HashMap<>();
      taps.forEach(tap -> tapped.put(tap, scope.transferFrom(run, out.get(tap))));
      return new Output(hidden, tapped);
    }
  }

  private Map<String, OnnxTensor> inputs(TensorScope run, Input in) {
    Set<String> names = segment.session().inputs();
    Map<String, OnnxTensor> inputs = new HashMap<>(cache.inputs(run, in.keptRows().length));
    for (int i = 0; i < segment.hiddenInputs().size(); i++) {
      inputs.put(segment.hiddenInputs().get(i), in.hidden().get(i));
    }
    if (names.contains(DecoderGraph.MASK)) {
      long[] mask = new long[cache.tokens() + in.keptRows().length];
      Arrays.fill(mask, 1);
      inputs.put(DecoderGraph.MASK, run.longs(mask, 1, mask.length));
    }
    String positions = segment.spec().arriving(DecoderGraph.POSITIONS);
    if (names.contains(positions)) {
      inputs.put(positions, in.positions().tensor(run));
    }
    String types = segment.spec().arriving(DecoderGraph.TOKEN_TYPES);
    if (names.contains(types)) {
      inputs.put(types, run.longs(in.types(), 1, in.types().length));
    }
    if (segment.spec().seam() != Seam.NONE) {
      inputs.put(SegmentModel.KEEP, run.indices(in.keptRows(), in.keptRows().length));
    }
    if (segment.spec().seam() == Seam.MERGE) {
      in.merges().give(run, inputs);
    }
    for (String name : names) {
      RowInput.parse(name)
          .map(rows -> in.observed().map(tokens -> tokens.rows(rows)).orElse(ANY))
          .map(rows -> rows.length == 0 ? ANY : rows)
          .ifPresent(rows -> inputs.put(name, run.indices(rows, rows.length)));
    }
    if (names.contains(DecoderGraph.LOGITS_TO_KEEP)) {
      inputs.put(DecoderGraph.LOGITS_TO_KEEP, run.longs(new long[] {1}));
    }
    return inputs;
  }

  /** Puts the prompt away, once it has run. */
  public void onPrefillDone(LiveTokens live) {
    cache.onPrefillDone(live.visualMask());
  }

  void startDecodingAt(long position) {
    nextPosition = position;
  }

  /** The position of the next token; after it so many are taken. */
  long takePositions(int count) {
    long first = nextPosition;
    nextPosition += count;
    return first;
  }

  int cachedTokens() {
    return cache.seen();
  }

  int layers() {
    return segment.spec().to() - segment.spec().from();
  }

  /** Size of the KV cache as it lies in memory. */
  long cacheBytes() {
    return cache.bytes();
  }

  @Override
  public void close() {
    cache.close();
  }
}

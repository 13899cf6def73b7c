package dev.squint.engine.internal.generate;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.kv.KvCache;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.StandingRun;
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
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/** One segment in one request: it owns the KV cache of its layers. */
public final class SegmentState implements AutoCloseable {

  /** A row that is always there: ONNX Runtime divides by the length of an axis that it folds. */
  private static final int[] ANY = {0};

  private static final long[] TEXT = {0};

  /**
   * Few enough that little is computed in vain, enough that products of matrices stay efficient.
   */
  private static final int PART_ROWS = 512;

  private final SplitDecoder.Segment segment;
  private final KvCache cache;
  private final TensorScope owner;
  private final Map<String, RowInput> rowInputs = new HashMap<>();
  private Optional<StepInputs> step = Optional.empty();
  private Optional<StepOutputs> stepResults = Optional.empty();
  private Optional<StandingRun> standing = Optional.empty();
  private StepMask mask;
  private int moves = -1;
  private String scores = DecoderGraph.LOGITS;
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
    this.owner = owner;
    this.cache = KvCache.of(segment, sizes, owner, plan);
    this.mask = new StepMask(owner.newScope());
    for (SplitDecoder.Segment graph : List.of(segment, segment.forSteps())) {
      for (String name : graph.session().inputs()) {
        RowInput.parse(name).ifPresent(rows -> rowInputs.put(name, rows));
      }
    }
  }

  private SegmentState(SegmentState of, KvCache cache, long nextPosition, TensorScope owner) {
    this.segment = of.segment;
    this.owner = owner;
    this.cache = cache;
    this.mask = new StepMask(owner.newScope());
    this.rowInputs.putAll(of.rowInputs);
    this.scores = of.scores;
    this.nextPosition = nextPosition;
  }

  /** The same without its last tokens, with a cache of its own. */
  SegmentState copyWithoutLast(int tokens, TensorScope owner) {
    return new SegmentState(
        this, cache.copyOfFirst(cache.tokens() - tokens, owner), nextPosition - tokens, owner);
  }

  /** Finds live rows, counted after the seam. */
  @FunctionalInterface
  interface Observed {
    int[] rows(RowInput input);

    /**
     * Counts tokens that ask from a row on. Those that are asked of lie in the cache, all of them.
     */
    private Observed behind(int first) {
      return input ->
          input.asks() ? Arrays.stream(rows(input)).map(row -> row - first).toArray() : rows(input);
    }
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

    /** Whether it is one token of text that goes on as it is. */
    private boolean isStep() {
      return keptRows.length == 1
          && keptRows[0] == 0
          && types.length == 1
          && types[0] == 0
          && merges.tokens() == 0
          && observed.isEmpty();
    }

    /** Some of the rows that go on, and what is looked at if they are the last. */
    private Input part(int from, int to) {
      return new Input(
          hidden,
          positions,
          types,
          Arrays.copyOfRange(keptRows, from, to),
          merges,
          to == keptRows.length ? observed.map(of -> of.behind(from)) : Optional.empty());
    }

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
   * What a segment returns, owned by the scope given to {@link SegmentState#run}; for one token of
   * text by the segment, which writes over it in the next run.
   *
   * @param hidden hidden states for the next segment, or else the logits or the best token alone
   * @param taps what was tapped, by output name; empty unless the input asked for tokens
   * @param memory where the first of the hidden states lies, if that is memory of Java
   */
  public record Output(
      List<OnnxTensor> hidden, Map<String, OnnxTensor> taps, Optional<ByteBuffer> memory) {

    private Output(List<OnnxTensor> hidden, Map<String, OnnxTensor> taps) {
      this(hidden, taps, Optional.empty());
    }

    /**
     * The logits, as float32.
     *
     * @param reuse may be written over and returned
     */
    float[] scores(float[] reuse) {
      OnnxTensor logits = hidden.get(0);
      if (memory.isEmpty() || logits.getInfo().type != OnnxJavaType.FLOAT) {
        return TensorScope.valuesOf(logits);
      }
      FloatBuffer values = memory.get().asFloatBuffer();
      float[] into = reuse.length == values.remaining() ? reuse : new float[values.remaining()];
      values.get(into);
      return into;
    }

    /** The best token. */
    long best() {
      return memory.isPresent()
          ? memory.get().getLong(memory.get().limit() - Long.BYTES)
          : TensorScope.lastLong(hidden.get(0));
    }
  }

  /**
   * Sets what the segment with the logits returns from now on.
   *
   * @param wanted whether the scores of all tokens, as at first; else the best token alone
   */
  public void wantScores(boolean wanted) {
    String name = wanted ? DecoderGraph.LOGITS : DecoderGraph.BEST_TOKEN;
    if (!name.equals(scores)) {
      scores = name;
      stepResults.ifPresent(StepOutputs::close);
      stepResults = Optional.empty();
    }
  }

  /** Shares a mask with other segments. */
  void share(StepMask common) {
    mask.close();
    mask = common;
  }

  /** The graph that runs what comes next: of two, that of the prompt as long as nothing has run. */
  private SplitDecoder.Segment next() {
    return cache.seen() == 0 ? segment : segment.forSteps();
  }

  /** Runs some tokens; where another graph takes the tokens after the prompt, one of these. */
  public Output run(TensorScope scope, Input in) {
    if (!in.isStep() || segment.spec().lookahead()) {
      return runParts(scope, in);
    }
    if (stepResults.isEmpty()) {
      Output first = runAll(scope, in);
      SplitDecoder.Segment graph = segment.forSteps();
      List<String> names = graph.isLast() ? List.of(scores) : graph.hiddenOutputs();
      stepResults = Optional.of(new StepOutputs(names, first.hidden(), owner.newScope()));
      moves = -1;
      return first;
    }
    return write(scope, inputs(in.positions().axes().length).at(in.positions()), in.hidden());
  }

  /**
   * Runs one token of text at the position that is next.
   *
   * @param axes axes of its rotary positions
   */
  Output step(TensorScope scope, List<OnnxTensor> hidden, int axes) {
    long position = takePositions(1);
    return stepResults.isEmpty()
        ? run(
            scope,
            new Input(
                hidden,
                RotaryPositions.consecutive(position, 1, axes),
                TEXT,
                ANY,
                MergeMatrix.NONE,
                Optional.empty()))
        : write(scope, inputs(axes).at(position), hidden);
  }

  private Output write(TensorScope scope, Map<String, OnnxTensor> given, List<OnnxTensor> hidden) {
    StepOutputs results = stepResults.orElseThrow();
    if (cache.moves() >= 0) {
      writeAgain(scope, given, hidden, results);
      return results.output();
    }
    try (TensorScope run = scope.newScope()) {
      given.putAll(cache.inputs(run, 1));
      giveStates(given::put, hidden);
      Map<String, OnnxTensor> out =
          segment.forSteps().session().run(run, given, cache.outputs(), results.written());
      cache.append(run, out, 1);
      return results.output();
    }
  }

  /** Nothing but what is given changes, unless the cache has moved. */
  private void writeAgain(
      TensorScope scope,
      Map<String, OnnxTensor> given,
      List<OnnxTensor> hidden,
      StepOutputs results) {
    Map<String, OnnxTensor> ofCache = cache.inputs(scope, 1);
    if (cache.moves() != moves) {
      moves = cache.moves();
      given.putAll(ofCache);
      giveStates(given::put, hidden);
      results.writeInto(cache.inPlace());
      standing =
          Optional.of(segment.forSteps().session().standing(scope, given, results.written()));
    } else {
      giveStates(standing.orElseThrow()::give, hidden);
    }
    standing.orElseThrow().run(scope);
    cache.append(scope, Map.of(), 1);
  }

  /** Parts of equal size see what ran before them in the cache. */
  private Output runParts(TensorScope scope, Input in) {
    int rows = in.keptRows().length;
    int parts = parts(in);
    if (parts == 1) {
      return runAll(scope, in);
    }
    cache.expect(rows);
    try (TensorScope run = scope.newScope()) {
      List<List<OnnxTensor>> hidden = new ArrayList<>();
      for (int part = 0; part < parts - 1; part++) {
        Output made = runAll(run, in.part(start(rows, part, parts), start(rows, part + 1, parts)));
        if (segment.isLast()) {
          made.hidden().forEach(run::release);
        } else {
          hidden.add(made.hidden());
        }
      }
      Output last = runAll(scope, in.part(start(rows, parts - 1, parts), rows));
      if (segment.isLast()) {
        return last;
      }
      hidden.add(last.hidden());
      List<OnnxTensor> joined = new ArrayList<>();
      for (int i = 0; i < last.hidden().size(); i++) {
        int output = i;
        joined.add(
            segment.joiner().join(scope, hidden.stream().map(part -> part.get(output)).toList()));
      }
      last.hidden().forEach(scope::release);
      return new Output(joined, last.taps());
    }
  }

  private static int start(int rows, int part, int parts) {
    return (int) ((long) rows * part / parts);
  }

  /** One if a token that asks does not lie in the last part. */
  private int parts(Input in) {
    int rows = in.keptRows().length;
    int parts = segment.inParts() ? Math.max(1, Math.round((float) rows / PART_ROWS)) : 1;
    int last = start(rows, parts - 1, parts);
    boolean lateEnough =
        in.observed().isEmpty()
            || rowInputs.values().stream()
                .filter(RowInput::asks)
                .flatMapToInt(input -> Arrays.stream(in.observed().get().rows(input)))
                .allMatch(row -> row >= last);
    return lateEnough ? parts : 1;
  }

  private Output runAll(TensorScope scope, Input in) {
    SplitDecoder.Segment graph = next();
    boolean lookahead = segment.spec().lookahead();
    List<String> hiddenOutputs =
        graph.isLast() && !lookahead ? List.of(scores) : graph.hiddenOutputs();
    List<String> taps =
        in.observed().isEmpty()
            ? List.of()
            : segment.spec().taps().stream().map(TapNames::output).toList();
    Set<String> wanted = new LinkedHashSet<>(hiddenOutputs);
    wanted.addAll(taps);
    wanted.addAll(cache.outputs());
    try (TensorScope run = scope.newScope()) {
      Map<String, OnnxTensor> out =
          graph.session().run(run, inputs(run, graph, in), wanted, cache.inPlace());
      cache.append(run, out, in.keptRows().length);
      List<OnnxTensor> hidden = new ArrayList<>(hiddenOutputs.size());
      for (String name : hiddenOutputs) {
        hidden.add(scope.transferFrom(run, out.get(name)));
      }
      Map<String, OnnxTensor> tapped = taps.isEmpty() ? Map.of() : new HashMap<>();
      taps.forEach(tap -> tapped.put(tap, scope.transferFrom(run, out.get(tap))));
      return new Output(hidden, tapped);
    }
  }

  private StepInputs inputs(int axes) {
    if (step.isEmpty()) {
      step = Optional.of(new StepInputs(segment.forSteps(), axes, owner.newScope()));
    }
    return step.get();
  }

  private void giveStates(BiConsumer<String, OnnxTensor> inputs, List<OnnxTensor> hidden) {
    SplitDecoder.Segment graph = segment.forSteps();
    for (int i = 0; i < graph.hiddenInputs().size(); i++) {
      inputs.accept(graph.hiddenInputs().get(i), hidden.get(i));
    }
    if (graph.session().inputs().contains(DecoderGraph.MASK)) {
      inputs.accept(DecoderGraph.MASK, mask.of(cache.tokens() + 1));
    }
  }

  private Map<String, OnnxTensor> inputs(TensorScope run, SplitDecoder.Segment graph, Input in) {
    ModelSession session = graph.session();
    Set<String> names = session.inputs();
    Map<String, OnnxTensor> inputs = new HashMap<>(cache.inputs(run, in.keptRows().length));
    for (int i = 0; i < graph.hiddenInputs().size(); i++) {
      inputs.put(graph.hiddenInputs().get(i), in.hidden().get(i));
    }
    if (names.contains(DecoderGraph.MASK)) {
      long[] ones = new long[cache.tokens() + in.keptRows().length];
      Arrays.fill(ones, 1);
      inputs.put(DecoderGraph.MASK, run.longs(ones, 1, ones.length));
    }
    String positions = graph.spec().arriving(DecoderGraph.POSITIONS);
    if (names.contains(positions)) {
      inputs.put(positions, in.positions().tensor(run));
    }
    String types = graph.spec().arriving(DecoderGraph.TOKEN_TYPES);
    if (names.contains(types)) {
      inputs.put(types, run.longs(in.types(), 1, in.types().length));
    }
    if (graph.spec().seam() != Seam.NONE) {
      inputs.put(SegmentModel.KEEP, run.indices(in.keptRows(), in.keptRows().length));
    }
    if (graph.spec().seam() == Seam.MERGE) {
      in.merges().give(run, inputs);
    }
    rowInputs.forEach(
        (name, input) -> {
          if (!names.contains(name)) {
            return;
          }
          int[] found = in.observed().map(tokens -> tokens.rows(input)).orElse(ANY);
          int[] rows = found.length == 0 ? ANY : found;
          inputs.put(name, run.indices(rows, rows.length));
        });
    if (names.contains(DecoderGraph.LOGITS_TO_KEEP)) {
      inputs.put(DecoderGraph.LOGITS_TO_KEEP, one(run, session));
    }
    return inputs;
  }

  /** How many of the last positions get logits, with as many axes as the graph declares. */
  static OnnxTensor one(TensorScope scope, ModelSession session) {
    int axes = session.input(DecoderGraph.LOGITS_TO_KEEP).getShape().length;
    return scope.longs(new long[] {1}, axes == 0 ? new long[0] : new long[] {1});
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
    step.ifPresent(StepInputs::close);
    stepResults.ifPresent(StepOutputs::close);
    mask.close();
    cache.close();
  }
}

package dev.squint.engine.internal.generate;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.prune.PruningPlan;
import dev.squint.engine.internal.prune.SideObserver;
import dev.squint.engine.internal.prune.SiteDecider;
import dev.squint.engine.internal.prune.TapValues;
import dev.squint.engine.internal.session.Embedder;
import dev.squint.engine.internal.session.SideGraphs;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.tokens.LiveTokens;
import dev.squint.engine.internal.tokens.RotaryPositions;
import dev.squint.engine.internal.tokens.TokenReduction;
import dev.squint.engine.internal.vision.VisionEncoder;
import dev.squint.engine.request.ModelInput;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.report.PositionSource;
import dev.squint.pruning.cost.FlopsModel;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * One request on its way through the segments: prefill once, then step by step. Belongs to one
 * thread.
 */
final class DecoderRun implements AutoCloseable {

  private static final int[] NOTHING = {};
  private static final int[] ONLY_ROW = {0};
  private static final long[] TEXT = {0};

  private final PruningPlan plan;
  private final SplitDecoder open;
  private final ModelConfig.Text sizes;
  private final Parts parts;
  private final PositionSource source;
  private final TensorScope scope;
  private final List<SegmentState> segments = new ArrayList<>();
  private final List<Integer> probedTokens = new ArrayList<>();
  private int[] tokensPerLayer = NOTHING;
  private float[] logits = {};

  /**
   * The parts of a model around its decoder.
   *
   * @param embedder embeds text and puts images into it
   * @param side computes what is observed between vision tower and decoder
   * @param vision projects patches that were merged before the projector
   */
  record Parts(Embedder embedder, SideGraphs side, VisionEncoder vision) {}

  DecoderRun(
      PruningPlan plan,
      SplitDecoder open,
      Parts parts,
      PositionSource source,
      ModelConfig.Text sizes,
      TensorScope scope) {
    this.plan = plan;
    this.open = open;
    this.sizes = sizes;
    this.parts = parts;
    this.source = source;
    this.scope = scope;
    try {
      open.list()
          .forEach(
              segment ->
                  segments.add(new SegmentState(segment, sizes, scope.sibling(), plan.cache())));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * What is on its way into the decoder.
   *
   * @param rows the tokens
   * @param positions their rotary positions
   * @param next the position of the first generated token
   */
  private record Entering(LiveTokens rows, RotaryPositions positions, long next) {

    static Entering of(ModelInput prompt, int axes) {
      RotaryPositions positions = RotaryPositions.of(prompt.layout(), axes);
      return new Entering(LiveTokens.of(prompt.layout()), positions, positions.next());
    }

    Entering after(SitePlan site, TokenReduction passage) {
      int[] keep = rows.rowsOf(passage);
      int[] origins = originRows(rows, passage);
      LiveTokens left = rows.extended(origins).select(keep);
      return site.positions() == PositionPolicy.COMPACTED
          ? new Entering(
              left, RotaryPositions.ascending(left.count(), positions.axes().length), left.count())
          : new Entering(left, positions.extended(origins).gathered(keep), next);
    }
  }

  /**
   * Runs the prompt.
   *
   * @param prompt the prompt
   * @param seen what the vision tower saw, or empty without an image
   * @param decider decides at the sites
   */
  void prefill(ModelInput prompt, Optional<VisionEncoder.Encoded> seen, SiteDecider decider) {
    Entering entering = Entering.of(prompt, source.rows());
    try (TensorScope pass = scope.sibling()) {
      Optional<OnnxTensor> features = seen.map(VisionEncoder.Encoded::output);
      if (seen.isPresent() && !seen.get().projected()) {
        TokenReduction passage = TokenReduction.all(entering.rows().aliveVisual().length);
        if (plan.beforeProjector().isPresent()) {
          SitePlan site = plan.beforeProjector().get();
          passage =
              decider.decide(
                  site,
                  entering.rows(),
                  entering.positions(),
                  TapValues.NONE,
                  (need, context) -> {
                    throw new IllegalStateException(need + " before the projector");
                  });
          entering = entering.after(site, passage);
        }
        features = Optional.of(parts.vision().project(pass, seen.get().output(), passage));
      }
      TokenReduction passage = TokenReduction.all(entering.rows().aliveVisual().length);
      if (plan.afterVision().isPresent()) {
        passage = decideOnFeatures(pass, prompt, features.orElseThrow(), decider, entering);
        entering = entering.after(plan.afterVision().get(), passage);
      }
      decode(pass, entering, embeds(pass, prompt, features, entering.rows(), passage), decider);
    }
  }

  private OnnxTensor embeds(
      TensorScope pass,
      ModelInput prompt,
      Optional<OnnxTensor> features,
      LiveTokens rows,
      TokenReduction passage) {
    long[] all = prompt.tokenIds();
    long[] tokens = new long[rows.count()];
    for (int row = 0; row < tokens.length; row++) {
      tokens[row] = all[rows.prompt()[row]];
    }
    return features.isPresent()
        ? parts.embedder().embed(pass, tokens, features.get(), passage, rows.visualRows())
        : parts.embedder().embed(pass, tokens);
  }

  private void decode(TensorScope pass, Entering entering, OnnxTensor embeds, SiteDecider decider) {
    LiveTokens rows = entering.rows();
    RotaryPositions positions = entering.positions();
    long next = entering.next();
    List<OnnxTensor> hidden = List.of(embeds);
    boolean compares =
        plan.seams().stream()
            .flatMap(Optional::stream)
            .flatMap(site -> site.needs().stream())
            .anyMatch(need -> need.part() == Place.Part.BETWEEN);
    Map<Expression, Observation> compared = new HashMap<>();
    SideObserver atInput =
        (need, context) ->
            compared.computeIfAbsent(
                need, wanted -> atInput(pass, wanted, embeds, entering.rows(), context));
    TapValues taps = TapValues.NONE;
    List<Integer> counts = new ArrayList<>();
    for (int i = 0; i < segments.size(); i++) {
      int[] keep = all(rows.count());
      TokenReduction.Mix mix = TokenReduction.Mix.NONE;
      long[] types = rows.types();
      RotaryPositions arriving = positions;
      Optional<SitePlan> seam = plan.seams().get(i);
      if (seam.isPresent()) {
        TokenReduction passage = decider.decide(seam.get(), rows, positions, taps, atInput);
        int[] origins = originRows(rows, passage);
        keep = rows.rowsOf(passage);
        mix = passage.mix().at(rows.visualRows());
        rows = rows.extended(origins);
        types = rows.types();
        rows = rows.select(keep);
        positions = positions.extended(origins);
        arriving = positions;
        if (seam.get().positions() == PositionPolicy.COMPACTED) {
          arriving = positions.compactedFor(keep);
          next = keep.length;
        }
        positions = arriving.gathered(keep);
      }
      Optional<SitePlan> site = plan.siteAfter(i);
      LiveTokens there = rows;
      Optional<SegmentState.Observed> observed =
          site.filter(after -> !after.needs().isEmpty() && there.visualRows().length > 0)
              .map(after -> there::rows);
      SegmentState.Output out =
          segments
              .get(i)
              .run(pass, new SegmentState.Input(hidden, arriving, types, keep, mix, observed));
      segments.get(i).startDecodingAt(next);
      segments.get(i).onPrefillDone(rows);
      hidden.stream().filter(tensor -> !compares || tensor != embeds).forEach(pass::release);
      hidden = out.hidden();
      taps = new TapValues(out.taps(), rows);
      Optional<SplitDecoder.Segment> probe =
          site.flatMap(after -> open.probe(after.site().depth()));
      if (probe.isPresent() && observed.isPresent()) {
        probedTokens.add(rows.count());
        try (SegmentState ahead = new SegmentState(probe.get(), sizes, scope.sibling())) {
          SegmentState.Input input =
              new SegmentState.Input(
                  hidden,
                  positions,
                  rows.types(),
                  all(rows.count()),
                  TokenReduction.Mix.NONE,
                  observed);
          taps = taps.and(ahead.run(pass, input).taps());
        }
      }
      for (int layer = 0; layer < segments.get(i).layers(); layer++) {
        counts.add(rows.count());
      }
    }
    tokensPerLayer = counts.stream().mapToInt(Integer::intValue).toArray();
    logits = TensorScope.valuesOf(hidden.get(0));
  }

  /** Feeds one generated token and makes the scores of the next. */
  void step(long token) {
    try (TensorScope pass = scope.sibling()) {
      List<OnnxTensor> hidden = List.of(parts.embedder().embed(pass, new long[] {token}));
      for (SegmentState segment : segments) {
        RotaryPositions position = RotaryPositions.single(segment.nextPosition(), source.rows());
        hidden =
            segment
                .run(
                    pass,
                    new SegmentState.Input(
                        hidden,
                        position,
                        TEXT,
                        ONLY_ROW,
                        TokenReduction.Mix.NONE,
                        Optional.empty()))
                .hidden();
      }
      logits = TensorScope.valuesOf(hidden.get(0));
    }
  }

  /** Scores of the next token. */
  float[] logits() {
    return logits;
  }

  /** Tokens that ran through each layer in prefill. */
  int[] tokensPerLayer() {
    return tokensPerLayer;
  }

  /** FLOPs of the prefill: of its layers, and of attention that was computed ahead of a layer. */
  long prefillFlops(DecoderShape shape) {
    return FlopsModel.prefill(shape, tokensPerLayer)
        + probedTokens.stream().mapToLong(tokens -> FlopsModel.probe(shape, tokens)).sum();
  }

  /** Tokens in the KV cache of each layer now. */
  int[] cachedPerLayer() {
    return segments.stream()
        .flatMapToInt(s -> IntStream.generate(s::cachedTokens).limit(s.layers()))
        .toArray();
  }

  long cacheBytes() {
    return segments.stream().mapToLong(SegmentState::cacheBytes).sum();
  }

  private TokenReduction decideOnFeatures(
      TensorScope pass,
      ModelInput prompt,
      OnnxTensor features,
      SiteDecider decider,
      Entering entering) {
    LiveTokens rows = entering.rows();
    Map<Rows, OnnxTensor> text = new EnumMap<>(Rows.class);
    SideObserver side =
        (need, context) ->
            parts
                .side()
                .observe(
                    pass,
                    need,
                    leaf ->
                        new SideGraphs.Found(
                            leaf.rows() == Rows.VISUAL
                                ? features
                                : text.computeIfAbsent(
                                    leaf.rows(), wanted -> embedded(pass, prompt, rows, wanted)),
                            all(rows.rows(leaf.rows()).length)),
                    wanted -> rows.rows(wanted).length,
                    context);
    return decider.decide(
        plan.afterVision().orElseThrow(), rows, entering.positions(), TapValues.NONE, side);
  }

  private OnnxTensor embedded(TensorScope pass, ModelInput prompt, LiveTokens rows, Rows wanted) {
    return parts
        .embedder()
        .embed(
            pass,
            Arrays.stream(rows.rows(wanted))
                .mapToLong(row -> prompt.tokenIds()[rows.prompt()[row]])
                .toArray());
  }

  private Observation atInput(
      TensorScope pass, Expression need, OnnxTensor embeds, LiveTokens rows, SiteContext context) {
    return parts
        .side()
        .observe(
            pass,
            need,
            leaf -> new SideGraphs.Found(embeds, rows.rows(leaf.rows())),
            wanted -> rows.rows(wanted).length,
            context);
  }

  private static int[] originRows(LiveTokens rows, TokenReduction passage) {
    int[] visualRows = rows.visualRows();
    return Arrays.stream(passage.origins()).map(origin -> visualRows[origin]).toArray();
  }

  private static int[] all(int count) {
    return IntStream.range(0, count).toArray();
  }

  @Override
  public void close() {
    segments.forEach(SegmentState::close);
  }
}

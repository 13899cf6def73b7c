package dev.squint.engine.internal.generate;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.StandingRun;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.prune.PlannedSite;
import dev.squint.engine.internal.prune.PruningPlan;
import dev.squint.engine.internal.prune.SideObserver;
import dev.squint.engine.internal.prune.SiteDecider;
import dev.squint.engine.internal.prune.TapValues;
import dev.squint.engine.internal.session.DeepStack;
import dev.squint.engine.internal.session.Embedder;
import dev.squint.engine.internal.session.SideGraphs;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.tokens.LiveTokens;
import dev.squint.engine.internal.tokens.MergeMatrix;
import dev.squint.engine.internal.tokens.PositionedTokens;
import dev.squint.engine.internal.tokens.RotaryPositions;
import dev.squint.engine.internal.tokens.SeamRows;
import dev.squint.engine.internal.tokens.TokenReduction;
import dev.squint.engine.internal.vision.VisionEncoder;
import dev.squint.engine.request.ModelInput;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.report.PositionSource;
import dev.squint.pruning.cost.FlopsModel;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.SiteContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
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

  private final PruningPlan plan;
  private final SplitDecoder open;
  private final ModelConfig.Text sizes;
  private final Parts parts;
  private final PositionSource source;
  private final LongBuffer token =
      ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder()).asLongBuffer();
  private final TensorScope own;
  private final StepMask mask;
  private Optional<StandingRun> embedding = Optional.empty();
  private List<OnnxTensor> embedded = List.of();
  private final List<SegmentState> segments = new ArrayList<>();
  private final List<Integer> lookaheadTokens = new ArrayList<>();
  private int[] tokensPerLayer = NOTHING;
  private float[] logits = {};
  private long best;
  private boolean wantsScores = true;

  /**
   * The parts of a model around its decoder.
   *
   * @param embedder embeds text and puts images into it
   * @param side computes what is observed between vision tower and decoder
   * @param vision projects patches that were merged before the projector
   * @param deepStack lays DeepStack features on the prompt, where the decoder takes them
   */
  record Parts(Embedder embedder, SideGraphs side, VisionEncoder vision, DeepStack deepStack) {}

  /**
   * A run that has seen nothing.
   *
   * @param caches counts the tensors of its KV caches
   */
  DecoderRun(
      PruningPlan plan,
      SplitDecoder open,
      Parts parts,
      PositionSource source,
      ModelConfig.Text sizes,
      TensorScope caches) {
    this(caches.newScope(), plan, open, parts, source, sizes);
    try {
      open.list()
          .forEach(
              segment -> add(new SegmentState(segment, sizes, caches.newScope(), plan.cache())));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private DecoderRun(
      TensorScope own,
      PruningPlan plan,
      SplitDecoder open,
      Parts parts,
      PositionSource source,
      ModelConfig.Text sizes) {
    this.own = own;
    this.mask = new StepMask(own.newScope());
    this.plan = plan;
    this.open = open;
    this.sizes = sizes;
    this.parts = parts;
    this.source = source;
  }

  /**
   * A run that has seen what this one has, but for its last tokens, which are text.
   *
   * @param tokens how many it has not seen
   * @param caches counts the tensors of its KV caches
   */
  DecoderRun copyWithoutLast(int tokens, TensorScope caches) {
    DecoderRun copy = new DecoderRun(caches.newScope(), plan, open, parts, source, sizes);
    try {
      segments.forEach(segment -> copy.add(segment.copyWithoutLast(tokens, caches.newScope())));
      return copy;
    } catch (RuntimeException e) {
      copy.close();
      throw e;
    }
  }

  /**
   * Runs the prompt.
   *
   * @param scope whose control ends it
   * @param prompt the prompt
   * @param seen what the vision tower saw, or empty without an image
   * @param decider decides at the sites
   */
  void prefill(
      TensorScope scope,
      ModelInput prompt,
      Optional<VisionEncoder.Encoded> seen,
      SiteDecider decider) {
    PositionedTokens tokens = PositionedTokens.of(prompt.layout(), source.rows());
    try (TensorScope pass = scope.newScope()) {
      Optional<OnnxTensor> features = seen.map(VisionEncoder.Encoded::output);
      if (seen.isPresent() && !seen.get().projected()) {
        TokenReduction reduction = all(tokens);
        if (plan.beforeProjector().isPresent()) {
          PlannedSite site = plan.beforeProjector().get();
          reduction =
              decider.decide(
                  site,
                  tokens,
                  TapValues.NONE,
                  (need, context) -> {
                    throw new IllegalStateException(need + " before the projector");
                  });
          tokens = tokens.reduced(reduction, policy(site)).left();
        }
        features = Optional.of(parts.vision().project(pass, seen.get().output(), reduction));
      }
      TokenReduction reduction = all(tokens);
      if (plan.afterVision().isPresent()) {
        PlannedSite site = plan.afterVision().get();
        reduction =
            decider.decide(
                site,
                tokens,
                TapValues.NONE,
                onFeatures(pass, prompt, features.orElseThrow(), tokens.live()));
        tokens = tokens.reduced(reduction, policy(site)).left();
      }
      LiveTokens live = tokens.live();
      List<OnnxTensor> entering = new ArrayList<>();
      entering.add(embeds(pass, prompt, features, live, reduction));
      entering.addAll(
          parts
              .deepStack()
              .laid(
                  pass,
                  seen.map(VisionEncoder.Encoded::deepStack).orElse(List.of()),
                  reduction,
                  live.visualRows(),
                  live.count()));
      decode(pass, tokens, entering, decider);
    }
  }

  /** Rows and columns of an image cannot be counted anew. */
  private PositionPolicy policy(PlannedSite site) {
    return source == PositionSource.INPUT_3D ? PositionPolicy.ORIGINAL : site.plan().positions();
  }

  private static TokenReduction all(PositionedTokens tokens) {
    return TokenReduction.all(tokens.live().visualRows().length);
  }

  private OnnxTensor embeds(
      TensorScope pass,
      ModelInput prompt,
      Optional<OnnxTensor> features,
      LiveTokens live,
      TokenReduction reduction) {
    long[] ids = live.gathered(prompt.tokenIds());
    return features.isPresent()
        ? parts.embedder().embed(pass, ids, features.get(), reduction, live.visualRows())
        : parts.embedder().embed(pass, ids);
  }

  /**
   * Runs the decoder.
   *
   * @param states embeddings, and what the decoder takes besides them
   */
  private void decode(
      TensorScope pass, PositionedTokens entering, List<OnnxTensor> states, SiteDecider decider) {
    PositionedTokens tokens = entering;
    SegmentState.Output out = new SegmentState.Output(states, Map.of(), Optional.empty());
    List<OnnxTensor> hidden = states;
    OnnxTensor embeds = states.get(0);
    boolean compares =
        plan.seams().stream().flatMap(Optional::stream).anyMatch(PlannedSite::observesBetween);
    Map<Expression, Observation> compared = new HashMap<>();
    SideObserver atInput =
        (need, context) ->
            compared.computeIfAbsent(
                need, wanted -> atInput(pass, wanted, embeds, entering.live(), context));
    TapValues taps = TapValues.NONE;
    List<Integer> counts = new ArrayList<>();
    for (int i = 0; i < segments.size(); i++) {
      SeamRows seam = tokens.unchanged();
      if (plan.seams().get(i).isPresent()) {
        PlannedSite site = plan.seams().get(i).get();
        seam = tokens.reduced(decider.decide(site, tokens, taps, atInput), policy(site));
      }
      tokens = seam.left();
      LiveTokens live = tokens.live();
      Optional<PlannedSite> next = plan.siteAfter(i);
      Optional<SegmentState.Observed> observed =
          next.filter(site -> site.observes() && live.visualRows().length > 0)
              .map(site -> live::rows);
      SegmentState segment = segments.get(i);
      out = segment.run(pass, SegmentState.Input.of(hidden, seam, observed));
      segment.startDecodingAt(tokens.next());
      segment.onPrefillDone(live);
      hidden.stream().filter(tensor -> !compares || tensor != embeds).forEach(pass::release);
      hidden = out.hidden();
      taps = new TapValues(out.taps(), live);
      Optional<SplitDecoder.Segment> lookahead =
          next.flatMap(site -> open.lookahead(site.plan().site().depth()));
      if (lookahead.isPresent() && observed.isPresent()) {
        lookaheadTokens.add(live.count());
        try (SegmentState ahead = new SegmentState(lookahead.get(), sizes, pass.newScope())) {
          taps =
              taps.and(
                  ahead
                      .run(pass, SegmentState.Input.of(hidden, tokens.unchanged(), observed))
                      .taps());
        }
      }
      for (int layer = 0; layer < segment.layers(); layer++) {
        counts.add(live.count());
      }
    }
    tokensPerLayer = counts.stream().mapToInt(Integer::intValue).toArray();
    read(out);
  }

  /**
   * Runs further text, such as one generated token, and makes the scores of what comes next.
   *
   * @param scope whose control ends it
   * @param text token ids
   */
  void extend(TensorScope scope, long... text) {
    if (text.length > 1 && open.oneByOne()) {
      for (long one : text) {
        extend(scope, one);
      }
      return;
    }
    try (TensorScope pass = scope.newScope()) {
      if (text.length == 1) {
        SegmentState.Output out = segments.get(0).step(pass, embedded(pass, text[0]), rows());
        for (int i = 1; i < segments.size(); i++) {
          out = segments.get(i).step(pass, out.hidden(), rows());
        }
        read(out);
      } else {
        read(all(pass, text));
      }
    }
  }

  private int rows() {
    return source.rows();
  }

  private SegmentState.Output all(TensorScope pass, long[] text) {
    int count = text.length;
    int[] rows = IntStream.range(0, count).toArray();
    List<OnnxTensor> embeds = withoutImages(pass, parts.embedder().embed(pass, text), count);
    SegmentState.Output out = new SegmentState.Output(embeds, Map.of(), Optional.empty());
    for (SegmentState segment : segments) {
      RotaryPositions positions =
          RotaryPositions.consecutive(segment.takePositions(count), count, rows());
      List<OnnxTensor> entered = out.hidden();
      out =
          segment.run(
              pass,
              new SegmentState.Input(
                  entered, positions, new long[count], rows, MergeMatrix.NONE, Optional.empty()));
      entered.forEach(pass::release);
    }
    return out;
  }

  /**
   * Sets what prefill and steps make from now on.
   *
   * @param wanted whether the scores of the next token, as at first; else the best token alone
   */
  void wantScores(boolean wanted) {
    wantsScores = wanted;
    segments.forEach(segment -> segment.wantScores(wanted));
  }

  private void add(SegmentState segment) {
    segments.add(segment);
    segment.share(mask);
  }

  private List<OnnxTensor> embedded(TensorScope pass, long next) {
    token.put(0, next);
    if (embedding.isEmpty()) {
      OnnxTensor fed = own.longs(token, 1, 1);
      OnnxTensor first = parts.embedder().embed(pass, fed);
      embedded = withoutImages(own, StepOutputs.another(first, own), 1);
      embedding = Optional.of(parts.embedder().standing(own, fed, embedded.get(0)));
      return withoutImages(pass, first, 1);
    }
    embedding.get().run(pass);
    return embedded;
  }

  private List<OnnxTensor> withoutImages(TensorScope scope, OnnxTensor embeds, int rows) {
    List<OnnxTensor> states = new ArrayList<>(List.of(embeds));
    states.addAll(parts.deepStack().none(scope, rows));
    return states;
  }

  private void read(SegmentState.Output last) {
    if (wantsScores) {
      logits = last.scores(logits);
    } else {
      best = last.best();
    }
  }

  /** Scores of the next token, where they were wanted; the next step may write over them. */
  float[] logits() {
    return logits;
  }

  /** The token with the best score, where scores were not wanted; -1 if they are not numbers. */
  long best() {
    return best;
  }

  /** Tokens that ran through each layer in prefill. */
  int[] tokensPerLayer() {
    return tokensPerLayer;
  }

  /** FLOPs of the prefill: of its layers, and of attention that was computed ahead of a layer. */
  long prefillFlops(DecoderShape shape) {
    return FlopsModel.prefill(shape, tokensPerLayer)
        + lookaheadTokens.stream().mapToLong(tokens -> FlopsModel.lookahead(shape, tokens)).sum();
  }

  /** Tokens in the KV cache of each layer now. */
  int[] cachedPerLayer() {
    int[] cached = new int[sizes.layers()];
    int layer = 0;
    for (SegmentState segment : segments) {
      Arrays.fill(cached, layer, layer + segment.layers(), segment.cachedTokens());
      layer += segment.layers();
    }
    return cached;
  }

  long cacheBytes() {
    return segments.stream().mapToLong(SegmentState::cacheBytes).sum();
  }

  private SideObserver onFeatures(
      TensorScope pass, ModelInput prompt, OnnxTensor features, LiveTokens live) {
    Map<Rows, OnnxTensor> text = new EnumMap<>(Rows.class);
    return (need, context) ->
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
                                leaf.rows(), wanted -> embedded(pass, prompt, live, wanted)),
                        IntStream.range(0, live.rows(leaf.rows()).length).toArray()),
                wanted -> live.rows(wanted).length,
                context);
  }

  private OnnxTensor embedded(TensorScope pass, ModelInput prompt, LiveTokens live, Rows wanted) {
    return parts.embedder().embed(pass, live.gathered(prompt.tokenIds(), live.rows(wanted)));
  }

  private Observation atInput(
      TensorScope pass, Expression need, OnnxTensor embeds, LiveTokens live, SiteContext context) {
    return parts
        .side()
        .observe(
            pass,
            need,
            leaf -> new SideGraphs.Found(embeds, live.rows(leaf.rows())),
            wanted -> live.rows(wanted).length,
            context);
  }

  @Override
  public void close() {
    segments.forEach(SegmentState::close);
    mask.close();
    own.close();
  }
}

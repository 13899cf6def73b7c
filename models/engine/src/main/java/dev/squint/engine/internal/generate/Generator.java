package dev.squint.engine.internal.generate;

import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.prune.PruningPlan;
import dev.squint.engine.internal.prune.SiteDecider;
import dev.squint.engine.internal.session.Embedder;
import dev.squint.engine.internal.session.RefCountedCache;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.engine.internal.session.SideGraphs;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.vision.EncodedImages;
import dev.squint.engine.internal.vision.VisionEncoder;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.FinishReason;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.GenerationRequest;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.cost.FlopsModel;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Speedup;
import dev.squint.pruning.trace.Timings;
import dev.squint.pruning.trace.Trace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Answers prompts: vision, prefill over the segments, greedy decoding. Holds no state of a request.
 */
public final class Generator implements AutoCloseable {

  private final SessionFactory sessions;
  private final ModelConfig config;
  private final ModelShape facts;
  private final DecoderGraph decoder;
  private final VisionEncoder vision;
  private final Embedder embedder;
  private final SideGraphs side;
  private final RefCountedCache<List<SegmentSpec>, SplitDecoder> splits;

  public Generator(
      SessionFactory sessions,
      ModelConfig config,
      ModelShape facts,
      DecoderGraph decoder,
      VisionEncoder vision,
      Embedder embedder,
      SideGraphs side,
      int maxCachedSplits) {
    this.sessions = sessions;
    this.config = config;
    this.facts = facts;
    this.decoder = decoder;
    this.vision = vision;
    this.embedder = embedder;
    this.side = side;
    this.splits = new RefCountedCache<>(maxCachedSplits);
  }

  public EncodedImages prepare(PixelValues pixels) {
    return new EncodedImages(vision, pixels, sessions.scope());
  }

  /**
   * Answers a prompt.
   *
   * @param asked what is asked
   * @param strategy which visual tokens to drop where
   * @param images the images of the prompt, if it has any
   */
  public Generation generate(
      GenerationRequest asked, Strategy strategy, Optional<EncodedImages.Lease> images) {
    ModelInput prompt = asked.prompt();
    GenerationOptions options = asked.options();
    int length = prompt.layout().length();
    if (length >= config.contextLength()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the prompt has %d tokens, but the context of %s is %d tokens and the answer needs room too; shorten the question"
              .formatted(length, facts.name(), config.contextLength()));
    }
    checkIds(prompt);
    boolean image = images.isPresent();
    PruningPlan plan =
        image
            ? PruningPlan.of(strategy, facts, decoder.positions())
            : PruningPlan.unpruned(facts.decoder().layers());
    List<String> notes = new ArrayList<>();
    if (!image) {
      notes.add("no image in the prompt: nothing to prune");
    }
    try (TensorScope scope = sessions.scope();
        var split = lease(plan)) {
      long start = System.nanoTime();
      Optional<VisionEncoder.Encoded> seen =
          images.map(lease -> lease.encoded(plan.visionTaps(), plan.beforeProjector().isEmpty()));
      seen.ifPresent(encoded -> checkTokens(encoded, prompt));
      long visionNanos = System.nanoTime() - start;
      Request request = new Request(prompt, strategy.name(), plan, seen, options.seed());
      Answer answer = answer(request, split.get(), scope, asked, notes);
      Optional<Speedup> speedup =
          options.measureSpeedup()
              ? Optional.of(measure(request, split.get(), answer))
              : Optional.empty();
      notes.addAll(answer.decider.notes());
      Trace trace = trace(
              request, strategy, answer, asked.preprocessingNanos(), visionNanos, speedup, notes);
      return new Generation(
          answer.tokens,
          answer.finish,
          trace,
          options.keepFirstLogits() ? answer.firstLogits : new float[0]);
    }
  }

  /** What stays the same in every run of one request. */
  record Request(
      ModelInput prompt,
      String strategy,
      PruningPlan plan,
      Optional<VisionEncoder.Encoded> seen,
      long seed) {

    int visualTokens() {
      return prompt.layout().visualTokens();
    }

    SiteDecider decider() {
      return new SiteDecider(
          strategy,
          prompt.layout(),
          seed,
          seen.map(VisionEncoder.Encoded::observations).orElse(Map.of()));
    }
  }

  private record Answer(
      long[] tokens,
      FinishReason finish,
      float[] firstLogits,
      SiteDecider decider,
      int[] tokensPerLayer,
      long prefillFlops,
      int steps,
      long decodeFlops,
      long prefillNanos,
      long decodeNanos,
      long cacheBytes) {}

  private Answer answer(
      Request request,
      SplitDecoder open,
      TensorScope scope,
      GenerationRequest asked,
      List<String> notes) {
    GenerationOptions options = asked.options();
    int length = request.prompt().layout().length();
    int room = config.contextLength() - length;
    int limit = Math.min(options.maxNewTokens(), room);
    SiteDecider decider = request.decider();
    try (DecoderRun run =
        new DecoderRun(request.plan(), open, parts(), decoder.positions(), config.text(), scope)) {
      NextToken next =
          new NextToken(
              config.decoding(),
              Sampling.of(options.sampling(), config),
              config.endTokens(),
              request.prompt().tokenIds(),
              options.maxNewTokens());
      boolean scores = next.needsScores() || options.keepFirstLogits();
      run.wantScores(scores);
      long start = System.nanoTime();
      run.prefill(request.prompt(), request.seen(), decider);
      long prefilled = System.nanoTime();
      float[] first = run.logits();
      long[] tokens = new long[limit];
      int count = 0;
      int steps = 0;
      long flops = 0;
      FinishReason finish = FinishReason.LENGTH;
      while (count < limit) {
        long token = scores ? next.choose(run.logits()) : next.take(run.best());
        if (scores && !next.needsScores()) {
          scores = false;
          run.wantScores(false);
        }
        if (config.endTokens().contains(token)) {
          finish = FinishReason.STOP;
          break;
        }
        tokens[count++] = token;
        if (!asked.listener().onToken(token)) {
          finish = FinishReason.STOP_STRING;
          break;
        }
        if (count < limit) {
          run.step(token);
          steps++;
          flops += FlopsModel.decodeStep(facts.decoder(), run.cachedPerLayer());
        }
      }
      long decoded = System.nanoTime();
      if (finish == FinishReason.LENGTH && limit < options.maxNewTokens()) {
        notes.add(
            "the answer was cut off where the context of %d tokens ends"
                .formatted(config.contextLength()));
      }
      return new Answer(
          Arrays.copyOf(tokens, count),
          finish,
          first,
          decider,
          run.tokensPerLayer(),
          run.prefillFlops(facts.decoder()),
          steps,
          flops,
          prefilled - start,
          decoded - prefilled,
          run.cacheBytes());
    }
  }

  private DecoderRun.Parts parts() {
    return new DecoderRun.Parts(embedder, side, vision);
  }

  private Speedup measure(Request request, SplitDecoder pruned, Answer answer) {
    try (var whole = lease(PruningPlan.unpruned(facts.decoder().layers()))) {
      return new SpeedupMeter(sessions, config, facts, parts(), decoder.positions())
          .measure(
              request,
              pruned,
              whole.get(),
              answer.tokens(),
              answer.tokensPerLayer(),
              answer.prefillFlops());
    }
  }

  private RefCountedCache<List<SegmentSpec>, SplitDecoder>.Lease lease(PruningPlan plan) {
    return splits.acquire(plan.split(), () -> new SplitDecoder(sessions, decoder, plan.split()));
  }

  /** Opens the decoder in one piece and the tower, as a check. */
  public void requireOpens() {
    vision.requireOpens();
    SessionFactory checking = sessions.checking();
    new SplitDecoder(checking, decoder, PruningPlan.unpruned(facts.decoder().layers()).split())
        .close();
  }

  private void checkIds(ModelInput prompt) {
    for (long id : prompt.tokenIds()) {
      if (id < 0 || id >= config.text().vocabulary()) {
        throw new ModelException(
            "the prompt contains token %d, but %s knows 0..%d; use the tokenizer of the same folder"
                .formatted(id, facts.name(), config.text().vocabulary() - 1));
      }
    }
  }

  private void checkTokens(VisionEncoder.Encoded seen, ModelInput prompt) {
    long[] shape = seen.output().getInfo().getShape();
    long width =
        seen.projected() || shape.length == 0 ? config.text().hidden() : shape[shape.length - 1];
    long rows = seen.output().getInfo().getNumElements() / Math.max(1, width);
    int placeholders = prompt.layout().visualTokens();
    if (rows != placeholders) {
      throw new ModelException(
          "the image gives %d visual tokens, but the prompt has %d image placeholders; write one for each"
              .formatted(rows, placeholders));
    }
  }

  private Trace trace(
      Request request,
      Strategy strategy,
      Answer answer,
      long preprocessingNanos,
      long visionNanos,
      Optional<Speedup> speedup,
      List<String> notes) {
    DecoderShape shape = facts.decoder();
    int length = request.prompt().layout().length();
    int[] whole = new int[shape.layers()];
    Arrays.fill(whole, length);
    long unprunedDecode = 0;
    for (int step = 0; step < answer.steps(); step++) {
      Arrays.setAll(whole, layer -> whole[layer] + 1);
      unprunedDecode += FlopsModel.decodeStep(shape, whole);
    }
    Arrays.fill(whole, length);
    long images = request.prompt().images().stream().mapToLong(p -> p.shape()[0]).sum();
    VisionShape tower =
        request.prompt().images().stream().findFirst().map(this::ran).orElse(facts.vision());
    return Trace.of(strategy.spec(), facts.name())
        .prompt(length, request.visualTokens())
        .sites(answer.decider().traces())
        .tokensPerLayer(answer.tokensPerLayer())
        .visionFlops(
            images * FlopsModel.tower(tower)
                + FlopsModel.projector(tower, shape.hidden(), projected(request, answer)))
        .prefillFlops(answer.prefillFlops(), FlopsModel.prefill(shape, whole))
        .decodeFlops(answer.decodeFlops(), unprunedDecode)
        .timings(
            new Timings(
                0,
                preprocessingNanos,
                visionNanos,
                answer.prefillNanos(),
                answer.decider().selectionNanos(),
                answer.decodeNanos(),
                answer.tokens().length))
        .kvBytes(answer.cacheBytes(), bytesPerToken() * shape.layers() * (length + answer.steps()))
        .speedup(speedup)
        .notes(notes)
        .build();
  }

  /** The tower's shape on images of this size. */
  private VisionShape ran(PixelValues pixels) {
    int patch = config.vision().patchSize();
    return facts
        .vision()
        .withGrid((int) pixels.shape()[2] / patch, (int) pixels.shape()[3] / patch);
  }

  /** Bytes that the keys and values of a token take in one layer as exported. */
  private long bytesPerToken() {
    long heads = decoder.kvHeads() > 0 ? decoder.kvHeads() : config.text().kvHeads();
    long width = decoder.headDim() > 0 ? decoder.headDim() : config.text().headDim();
    return 2 * heads * width * decoder.cacheElementBytes();
  }

  /** Tokens that the projector ran for. */
  private static long projected(Request request, Answer answer) {
    return answer.decider().traces().stream()
        .filter(site -> site.site() instanceof Site.BeforeProjector)
        .mapToInt(SiteTrace::after)
        .findFirst()
        .orElse(request.visualTokens());
  }

  public boolean takesAnySize() {
    return vision.takesAnySize();
  }

  public int cachedSplits() {
    return splits.size();
  }

  @Override
  public void close() {
    try (vision;
        embedder;
        side) {
      splits.close();
    }
  }
}

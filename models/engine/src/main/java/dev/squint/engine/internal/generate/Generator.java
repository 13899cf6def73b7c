package dev.squint.engine.internal.generate;

import dev.squint.engine.internal.kv.KvCache;
import dev.squint.engine.internal.ort.RunControl;
import dev.squint.engine.internal.prune.PruningPlan;
import dev.squint.engine.internal.session.DeepStack;
import dev.squint.engine.internal.session.Embedder;
import dev.squint.engine.internal.session.RefCountedCache;
import dev.squint.engine.internal.session.SegmentPool;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.engine.internal.session.SideGraphs;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.vision.EncodedImages;
import dev.squint.engine.internal.vision.VisionEncoder;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.options.OnClose;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationRequest;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.error.StrategyException;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.report.PositionSource;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.shape.ModelShape;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Answers prompts with the parts of one model. Holds no state of a request. */
public final class Generator implements AutoCloseable {

  private final Parts parts;
  private final Admission admission;
  private final RequestWatch watch = new RequestWatch();
  private final OnClose onClose;
  private final SegmentPool splits;

  /**
   * The parts of a model.
   *
   * @param sessions opens further graphs
   * @param config what its JSON files say
   * @param facts its shapes
   * @param decoder its decoder, unsplit
   * @param vision encodes images
   * @param embedder embeds text and puts images into it
   * @param side computes what is observed between vision tower and decoder
   * @param deepStack lays DeepStack features on prompts, where the decoder takes them
   * @param lacks what its files lack of the model, for the trace
   */
  public record Parts(
      SessionFactory sessions,
      ModelConfig config,
      ModelShape facts,
      DecoderGraph decoder,
      VisionEncoder vision,
      Embedder embedder,
      SideGraphs side,
      DeepStack deepStack,
      List<String> lacks) {

    /**
     * A run that has seen nothing.
     *
     * @param open the segments of the plan
     */
    DecoderRun run(PruningPlan plan, SplitDecoder open) {
      return new DecoderRun(
          plan,
          open,
          new DecoderRun.Parts(embedder, side, vision, deepStack),
          decoder.positions(),
          config.text(),
          sessions.scope());
    }

    /** Bytes that the keys and values of a token take in all layers, as exported. */
    public long cacheBytesPerToken() {
      long heads = decoder.kvHeads() > 0 ? decoder.kvHeads() : config.text().kvHeads();
      long width = decoder.headDim() > 0 ? decoder.headDim() : config.text().headDim();
      return 2 * heads * width * decoder.cacheElementBytes() * facts.decoder().layers();
    }
  }

  public Generator(Parts parts, ModelOptions options) {
    this.parts = parts;
    this.admission = new Admission(options);
    this.onClose = options.onClose();
    this.splits = new SegmentPool(parts.sessions(), parts.decoder(), options.maxCachedSplits());
  }

  public EncodedImages prepare(PixelValues pixels) {
    requireOpen();
    return new EncodedImages(parts.vision(), pixels, parts.sessions().scope());
  }

  /** A cache for the requests of one conversation. */
  public KeptRun newCache() {
    requireOpen();
    return new KeptRun(parts.sessions(), admission);
  }

  private void requireOpen() {
    if (!admission.isOpen()) {
      throw new ModelException(Kind.BAD_REQUEST, "the model is closed; load it again");
    }
  }

  /**
   * Answers a request.
   *
   * @param asked what is asked
   * @param strategy which visual tokens to drop where
   * @param images the images of the prompt, if it has any
   */
  public Generation generate(
      GenerationRequest asked, Strategy strategy, List<EncodedImages.Lease> images) {
    requireOpen();
    checkFits(asked.prompt());
    checkIds(asked.prompt());
    PruningPlan asWritten =
        images.isEmpty()
            ? unpruned()
            : PruningPlan.of(strategy, parts.facts(), parts.decoder().positions());
    boolean packed = images.stream().anyMatch(one -> one.pixels().packing().isPresent());
    PruningPlan plan = packed ? asWritten.behindProjector() : asWritten;
    try (RequestWatch.Watched watched = watch.watch(asked)) {
      return new RequestRun(this, parts, asked, strategy, plan, images, watched.control()).answer();
    }
  }

  /** Waits for a place inside, with room for a request at its longest. */
  Admission.Ticket enter(GenerationRequest asked, RunControl control) {
    ModelInput prompt = asked.prompt();
    int length = prompt.layout().length();
    int longest =
        (int)
            Math.min(
                (long) length + asked.options().maxNewTokens(), parts.config().contextLength());
    long perState = (long) parts.facts().decoder().hidden() * Float.BYTES;
    return admission.enter(
        parts.cacheBytesPerToken() * KvCache.withRoom(longest)
            + perState
                * ((1L + parts.deepStack().levels()) * length
                    + 2L * prompt.layout().visualTokens()),
        control);
  }

  private void checkFits(ModelInput prompt) {
    int length = prompt.layout().length();
    if (length >= parts.config().contextLength()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the prompt has %d tokens, but the context of %s is %d tokens and the answer needs room too; shorten the question"
              .formatted(length, parts.facts().name(), parts.config().contextLength()));
    }
  }

  private void checkIds(ModelInput prompt) {
    int vocabulary = parts.config().text().vocabulary();
    for (long id : prompt.tokenIds()) {
      if (id < 0 || id >= vocabulary) {
        throw new ModelException(
            "the prompt contains token %d, but %s knows 0..%d; use the tokenizer of the same folder"
                .formatted(id, parts.facts().name(), vocabulary - 1));
      }
    }
  }

  PruningPlan unpruned() {
    return PruningPlan.unpruned(parts.facts().decoder().layers());
  }

  RefCountedCache<List<SegmentSpec>, SplitDecoder>.Lease lease(PruningPlan plan) {
    return splits.lease(plan.split());
  }

  /** Opens the decoder in one piece and the tower, as a check. */
  @SuppressWarnings("try")
  public void requireOpens() {
    try (RunControl control = new RunControl();
        Admission.Ticket inside = admission.enter(0, control)) {
      parts.vision().requireOpens();
      SessionFactory checking = parts.sessions().checking();
      new SplitDecoder(checking, parts.decoder(), unpruned().split()).close();
    }
  }

  public VisionEncoder vision() {
    return parts.vision();
  }

  /** How many different splits some strategies need. One that refuses this model needs none. */
  public int splitsOf(Collection<Strategy> strategies) {
    Set<List<SegmentSpec>> splits = new HashSet<>();
    for (Strategy strategy : strategies) {
      splitOf(strategy).ifPresent(splits::add);
    }
    return splits.size();
  }

  /** What a strategy asks for; empty if it refuses this model. */
  private Optional<List<SegmentSpec>> splitOf(Strategy strategy) {
    try {
      PositionSource positions = parts.decoder().positions();
      return Optional.of(PruningPlan.of(strategy, parts.facts(), positions).split());
    } catch (ModelException | StrategyException e) {
      return Optional.empty();
    }
  }

  public int maxCachedSplits() {
    return splits.maxCached();
  }

  public int cachedSplits() {
    return splits.splits();
  }

  @Override
  @SuppressWarnings("try")
  public void close() {
    boolean first = admission.close();
    if (onClose == OnClose.CANCEL) {
      watch.cancelAll();
    }
    admission.awaitEmpty();
    if (!first) {
      return;
    }
    admission.reclaimAll();
    watch.close();
    try (VisionEncoder vision = parts.vision();
        Embedder embedder = parts.embedder();
        DeepStack deepStack = parts.deepStack();
        SideGraphs side = parts.side()) {
      splits.close();
    }
  }
}

package dev.squint.engine.internal.generate;

import dev.squint.engine.internal.ort.RunControl;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.prune.PruningPlan;
import dev.squint.engine.internal.prune.SiteDecider;
import dev.squint.engine.internal.vision.EncodedImages;
import dev.squint.engine.internal.vision.VisionEncoder;
import dev.squint.engine.request.FinishReason;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationRequest;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.cost.FlopsModel;
import dev.squint.pruning.shape.DecoderShape;
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
 * One request on its way: vision and prefill, or what an earlier request left; then decoding.
 * Belongs to one thread and answers once.
 */
final class RequestRun {

  private static final int FEW_TOKENS = 64;

  private final Generator generator;
  private final Generator.Parts parts;
  private final GenerationRequest asked;
  private final ModelInput prompt;
  private final Strategy strategy;
  private final PruningPlan plan;
  private final List<EncodedImages.Lease> images;
  private final RunControl control;
  private final NextToken next;
  private boolean wantsScores;
  private final List<String> notes = new ArrayList<>();

  private KeptRun.Content running;
  private int reusedTokens;
  private int[] tokensPerLayer;
  private long queueNanos;
  private long visionNanos;
  private long prefillNanos;
  private long selectionNanos;
  private long decodeNanos;
  private long prefillFlops;
  private long unprunedPrefillFlops;
  private long decodeFlops;
  private long unprunedDecodeFlops;
  private float[] firstLogits = {};
  private long[] answer = {};
  private FinishReason finish = FinishReason.LENGTH;

  RequestRun(
      Generator generator,
      Generator.Parts parts,
      GenerationRequest asked,
      Strategy strategy,
      PruningPlan plan,
      List<EncodedImages.Lease> images,
      RunControl control) {
    this.generator = generator;
    this.parts = parts;
    this.asked = asked;
    this.prompt = asked.prompt();
    this.strategy = strategy;
    this.plan = plan;
    this.images = images;
    this.control = control;
    this.tokensPerLayer = new int[shape().layers()];
    this.next =
        new NextToken(
            parts.config().decoding(),
            Sampling.of(asked.options().sampling(), parts.config()),
            parts.config().endTokens(),
            prompt.tokenIds(),
            asked.options().maxNewTokens());
    this.wantsScores = next.needsScores() || asked.options().keepFirstLogits();
  }

  private DecoderShape shape() {
    return parts.facts().decoder();
  }

  Generation answer() {
    notes.addAll(asked.notes());
    if (images.isEmpty()) {
      notes.add("no image in the prompt: nothing to prune");
    } else {
      notes.addAll(parts.lacks());
    }
    Optional<KeptRun> cache = asked.cache().map(KeptRun::of);
    if (cache.isEmpty()) {
      return answer(Optional.empty());
    }
    try (KeptRun.Use use = cache.get().use()) {
      return answer(Optional.of(use));
    }
  }

  private Generation answer(Optional<KeptRun.Use> cache) {
    try (Admission.Ticket inside = generator.enter(asked, control)) {
      queueNanos = inside.waitedNanos();
      return run(cache);
    } catch (RunControl.Ended e) {
      return ended(e.reason());
    }
  }

  private Generation run(Optional<KeptRun.Use> cache) {
    try (TensorScope scope = parts.sessions().scope().newScope(control)) {
      Optional<Speedup> speedup = Optional.empty();
      Optional<VisionEncoder.Encoded> seen = begin(cache, scope);
      decode(scope);
      if (asked.options().measureSpeedup()) {
        speedup = Optional.of(measure(seen));
      }
      Generation generation = generation(speedup);
      if (cache.isPresent() && plan.cache().isEmpty()) {
        cache.get().put(running);
        running = null;
      }
      return generation;
    } catch (RunControl.Ended e) {
      return ended(e.reason());
    } finally {
      if (running != null) {
        running.close();
      }
    }
  }

  private Generation ended(FinishReason reason) {
    finish = reason;
    notes.add("the request was ended: " + words(reason));
    return generation(Optional.empty());
  }

  private Generation generation(Optional<Speedup> speedup) {
    return new Generation(answer, finish, trace(speedup), firstLogits);
  }

  private static String words(FinishReason reason) {
    return reason == FinishReason.DEADLINE ? "its deadline passed" : "it was cancelled";
  }

  /** What the vision tower saw, unless an earlier request has run the images. */
  private Optional<VisionEncoder.Encoded> begin(Optional<KeptRun.Use> cache, TensorScope scope) {
    control.check();
    Optional<KeptRun.Content> earlier = cache.flatMap(use -> use.take(this::goesOn));
    if (earlier.isPresent()) {
      goOn(earlier.get(), scope);
      return Optional.empty();
    }
    var split = generator.lease(plan);
    DecoderRun run;
    try {
      run = parts.run(plan, split.get());
    } catch (RuntimeException | Error e) {
      split.close();
      throw e;
    }
    running = new KeptRun.Content(run, split, strategy, plan, prompt);
    run.wantScores(wantsScores);
    return prefill(run, scope);
  }

  private Optional<VisionEncoder.Encoded> prefill(DecoderRun run, TensorScope scope) {
    long start = System.nanoTime();
    Optional<VisionEncoder.Encoded> seen = encoded(scope);
    seen.ifPresent(this::checkTokens);
    long encoded = System.nanoTime();
    visionNanos = encoded - start;
    SiteDecider decider = decider(seen);
    try {
      run.prefill(scope, prompt, seen, decider);
    } finally {
      running.sites(decider.traces());
      notes.addAll(decider.notes());
      selectionNanos = decider.selectionNanos();
      prefillNanos = System.nanoTime() - encoded;
    }
    tokensPerLayer = run.tokensPerLayer();
    int[] whole = new int[shape().layers()];
    Arrays.fill(whole, prompt.layout().length());
    prefillFlops = run.prefillFlops(shape());
    unprunedPrefillFlops = FlopsModel.prefill(shape(), whole);
    return seen;
  }

  private Optional<VisionEncoder.Encoded> encoded(TensorScope scope) {
    List<VisionEncoder.Encoded> all =
        images.stream()
            .map(
                lease ->
                    lease.encoded(plan.visionTaps(), plan.beforeProjector().isEmpty(), control))
            .toList();
    return all.isEmpty() ? Optional.empty() : Optional.of(parts.vision().joined(scope, all));
  }

  private SiteDecider decider(Optional<VisionEncoder.Encoded> seen) {
    return new SiteDecider(
        strategy.name(),
        prompt.layout(),
        asked.options().seed(),
        seen.map(VisionEncoder.Encoded::observations).orElse(Map.of()));
  }

  private void checkTokens(VisionEncoder.Encoded seen) {
    long[] sizes = seen.output().getInfo().getShape();
    long width =
        seen.projected() || sizes.length == 0
            ? parts.config().text().hidden()
            : sizes[sizes.length - 1];
    long rows = seen.output().getInfo().getNumElements() / Math.max(1, width);
    int placeholders = prompt.layout().visualTokens();
    if (rows != placeholders) {
      throw new ModelException(
          "the image gives %d visual tokens, but the prompt has %d image placeholders; write one for each"
              .formatted(rows, placeholders));
    }
  }

  /** Whether this request may go on from an earlier one. */
  private boolean goesOn(KeptRun.Content earlier) {
    boolean chosenAnew =
        asked.reuse() == GenerationRequest.CacheReuse.SELECT_ANEW && plan.looksAtText();
    return !chosenAnew
        && !asked.options().measureSpeedup()
        && earlier.strategy().equals(strategy)
        && earlier.sharedWith(prompt) > 0;
  }

  private void goOn(KeptRun.Content earlier, TensorScope scope) {
    running = earlier;
    long start = System.nanoTime();
    reusedTokens = earlier.sharedWith(prompt);
    earlier.keepFirst(reusedTokens, parts.sessions().scope());
    earlier.run().wantScores(wantsScores);
    long[] fresh = Arrays.copyOfRange(prompt.tokenIds(), reusedTokens, prompt.layout().length());
    earlier.run().extend(scope, fresh);
    earlier.ran(fresh);
    prefillNanos = System.nanoTime() - start;
    tokensPerLayer = earlier.run().cachedPerLayer();
    prefillFlops = stepFlops(tokensPerLayer, fresh.length);
    int[] whole = new int[shape().layers()];
    Arrays.fill(whole, prompt.layout().length());
    unprunedPrefillFlops = stepFlops(whole, fresh.length);
    if (!earlier.sites().isEmpty()) {
      notes.add("the visual tokens are those that were kept for an earlier question");
    }
  }

  /** FLOPs of the last tokens of a sequence, over the keys before them. */
  private long stepFlops(int[] keysPerLayer, int tokens) {
    long flops = 0;
    int[] keys = new int[keysPerLayer.length];
    for (int token = 0; token < tokens; token++) {
      int left = tokens - 1 - token;
      Arrays.setAll(keys, layer -> keysPerLayer[layer] - left);
      flops += FlopsModel.decodeStep(shape(), keys);
    }
    return flops;
  }

  private void decode(TensorScope scope) {
    int room = parts.config().contextLength() - prompt.layout().length();
    int limit = Math.min(asked.options().maxNewTokens(), room);
    DecoderRun run = running.run();
    if (asked.options().keepFirstLogits()) {
      firstLogits = run.logits().clone();
    }
    long[] tokens = new long[Math.min(limit, FEW_TOKENS)];
    int count = 0;
    int[] whole = new int[shape().layers()];
    Arrays.fill(whole, prompt.layout().length());
    long start = System.nanoTime();
    try {
      while (count < limit) {
        long token = wantsScores ? next.choose(run.logits()) : next.take(run.best());
        if (wantsScores != next.needsScores()) {
          wantsScores = next.needsScores();
          run.wantScores(wantsScores);
        }
        if (parts.config().endTokens().contains(token)) {
          finish = FinishReason.STOP;
          return;
        }
        if (count == tokens.length) {
          tokens = Arrays.copyOf(tokens, Math.min(limit, 2 * count));
        }
        tokens[count++] = token;
        if (!asked.listener().onToken(token)) {
          finish = FinishReason.STOP_STRING;
          return;
        }
        control.check();
        if (count < limit) {
          run.extend(scope, token);
          running.ran(token);
          Arrays.setAll(whole, layer -> whole[layer] + 1);
          decodeFlops += FlopsModel.decodeStep(shape(), run.cachedPerLayer());
          unprunedDecodeFlops += FlopsModel.decodeStep(shape(), whole);
        }
      }
      if (limit < asked.options().maxNewTokens()) {
        notes.add(
            "the answer was cut off where the context of %d tokens ends"
                .formatted(parts.config().contextLength()));
      }
    } finally {
      answer = Arrays.copyOf(tokens, count);
      decodeNanos = System.nanoTime() - start;
    }
  }

  private Speedup measure(Optional<VisionEncoder.Encoded> seen) {
    try (var whole = generator.lease(generator.unpruned())) {
      return new SpeedupMeter(parts, control)
          .measure(
              new SpeedupMeter.Subject(prompt, plan, seen, () -> decider(seen)),
              running.split().get(),
              whole.get(),
              answer,
              tokensPerLayer,
              prefillFlops);
    }
  }

  private Trace trace(Optional<Speedup> speedup) {
    List<SiteTrace> sites = running == null ? List.of() : running.sites();
    Timings timings =
        new Timings(
            queueNanos,
            asked.preprocessingNanos(),
            visionNanos,
            prefillNanos,
            selectionNanos,
            decodeNanos,
            answer.length);
    return Trace.of(strategy.spec(), parts.facts().name())
        .prompt(prompt.layout().length(), prompt.layout().visualTokens())
        .reusedTokens(reusedTokens)
        .sites(sites)
        .tokensPerLayer(tokensPerLayer)
        .visionFlops(visionNanos == 0 || parts.vision().isConvolutional() ? 0 : visionFlops(sites))
        .prefillFlops(prefillFlops, unprunedPrefillFlops)
        .decodeFlops(decodeFlops, unprunedDecodeFlops)
        .timings(timings)
        .kvBytes(
            running == null ? 0 : running.run().cacheBytes(),
            running == null ? 0 : parts.cacheBytesPerToken() * running.tokens())
        .speedup(speedup)
        .notes(notes)
        .build();
  }

  /** Tokens that leave the projector; those of tiles are fewer or more once they are packed. */
  private int projected() {
    int tokens = prompt.layout().visualTokens();
    for (PixelValues image : prompt.images()) {
      tokens +=
          image
              .packing()
              .map(packing -> image.tiles() * parts.facts().visualTokens() - packing.tokens())
              .orElse(0);
    }
    return tokens;
  }

  private long visionFlops(List<SiteTrace> sites) {
    long projected =
        sites.stream()
            .filter(site -> site.site() instanceof Site.BeforeProjector)
            .mapToInt(SiteTrace::after)
            .findFirst()
            .orElseGet(this::projected);
    VisionShape tower = parts.facts().vision();
    long flops = FlopsModel.projector(tower, shape().hidden(), projected);
    int patch = parts.config().vision().patchSize();
    for (PixelValues image : prompt.images()) {
      flops += image.tiles() * FlopsModel.tower(tower.withGrid(1, image.patches(patch)));
    }
    return flops;
  }
}

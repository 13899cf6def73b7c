package dev.squint.engine.internal.generate;

import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.prune.PruningPlan;
import dev.squint.engine.internal.session.RefCountedCache;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.engine.request.PromptCache;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.trace.SiteTrace;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The run of a request, kept for the next one. */
public final class KeptRun implements PromptCache, Admission.Kept {

  private final SessionFactory sessions;
  private final Admission admission;
  private Optional<Content> content = Optional.empty();
  private boolean used;
  private boolean closed;

  KeptRun(SessionFactory sessions, Admission admission) {
    this.sessions = sessions;
    this.admission = admission;
  }

  static KeptRun of(PromptCache cache) {
    if (cache instanceof KeptRun own) {
      return own;
    }
    throw new ModelException(
        Kind.BAD_REQUEST, "the cache was not made by a model; make it with this one's newCache");
  }

  /** A run with the tokens that it has seen. Belongs to one thread at a time. */
  static final class Content implements AutoCloseable {

    private final RefCountedCache<List<SegmentSpec>, SplitDecoder>.Lease split;
    private final Strategy strategy;
    private final PruningPlan plan;
    private final List<PixelValues> images;
    private final int lastVisual;
    private DecoderRun run;
    private long[] tokens;
    private List<SiteTrace> sites = List.of();

    /**
     * A run about to see a prompt.
     *
     * @param run the run, closed with this
     * @param split its sessions, given back with this
     */
    Content(
        DecoderRun run,
        RefCountedCache<List<SegmentSpec>, SplitDecoder>.Lease split,
        Strategy strategy,
        PruningPlan plan,
        ModelInput prompt) {
      this(
          run,
          split,
          strategy,
          plan,
          prompt.images(),
          prompt.layout().visual().stream().mapToInt(VisualSpan::end).max().orElse(0),
          prompt.tokenIds());
    }

    private Content(
        DecoderRun run,
        RefCountedCache<List<SegmentSpec>, SplitDecoder>.Lease split,
        Strategy strategy,
        PruningPlan plan,
        List<PixelValues> images,
        int lastVisual,
        long[] tokens) {
      this.run = run;
      this.split = split;
      this.strategy = strategy;
      this.plan = plan;
      this.images = images;
      this.lastVisual = lastVisual;
      this.tokens = tokens;
    }

    DecoderRun run() {
      return run;
    }

    RefCountedCache<List<SegmentSpec>, SplitDecoder>.Lease split() {
      return split;
    }

    Strategy strategy() {
      return strategy;
    }

    List<SiteTrace> sites() {
      return sites;
    }

    void sites(List<SiteTrace> decided) {
      sites = List.copyOf(decided);
    }

    /** Tokens seen, pruned ones counted. */
    int tokens() {
      return tokens.length;
    }

    /** Further tokens have run. */
    void ran(long... further) {
      int seen = tokens.length;
      tokens = Arrays.copyOf(tokens, seen + further.length);
      System.arraycopy(further, 0, tokens, seen, further.length);
    }

    /**
     * How many tokens a prompt begins with that this run has seen; 0 if it must not go on from
     * them. One is left to run, for the scores of what comes next.
     */
    int sharedWith(ModelInput prompt) {
      long[] wanted = prompt.tokenIds();
      int differs = Arrays.mismatch(tokens, wanted);
      int shared = Math.min(differs < 0 ? wanted.length : differs, wanted.length - 1);
      boolean imagesAside =
          prompt.layout().visual().stream().allMatch(span -> span.end() <= shared);
      return shared >= lastVisual && imagesAside && sameImages(prompt.images()) ? shared : 0;
    }

    @SuppressWarnings("ReferenceEquality")
    private boolean sameImages(List<PixelValues> others) {
      if (images.size() != others.size()) {
        return false;
      }
      for (int i = 0; i < images.size(); i++) {
        if (images.get(i) != others.get(i)) {
          return false;
        }
      }
      return true;
    }

    /** Forgets all tokens but the first. */
    void keepFirst(int count, TensorScope caches) {
      if (count < tokens.length) {
        DecoderRun shorter = run.copyWithoutLast(tokens.length - count, caches);
        run.close();
        run = shorter;
        tokens = Arrays.copyOf(tokens, count);
      }
    }

    Content copy(TensorScope caches) {
      Content copy =
          new Content(
              run.copyWithoutLast(0, caches),
              split.another(),
              strategy,
              plan,
              images,
              lastVisual,
              tokens);
      copy.sites = sites;
      return copy;
    }

    @Override
    public void close() {
      try (split) {
        run.close();
      }
    }
  }

  /** One request's use of it. */
  final class Use implements AutoCloseable {

    /** What is kept, if the request may go on from it; what is not is freed. */
    Optional<Content> take(Predicate<Content> goesOn) {
      synchronized (KeptRun.this) {
        Optional<Content> taken = content.filter(goesOn);
        if (taken.isEmpty()) {
          free();
        }
        content = Optional.empty();
        admission.forget(KeptRun.this);
        return taken;
      }
    }

    /** Keeps a run. */
    void put(Content run) {
      synchronized (KeptRun.this) {
        content = Optional.of(run);
      }
    }

    @Override
    public void close() {
      long bytes;
      synchronized (KeptRun.this) {
        used = false;
        if (closed || !admission.isOpen()) {
          free();
        }
        bytes = bytes();
      }
      if (bytes > 0) {
        admission.keep(KeptRun.this, bytes);
      }
    }
  }

  /** Reserves it for one request. */
  synchronized Use use() {
    requireFree();
    used = true;
    return new Use();
  }

  private void requireFree() {
    if (closed) {
      throw new ModelException(Kind.BAD_REQUEST, "the cache is closed; make another one");
    }
    if (used) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the cache is in use by another request; wait for its answer, or fork the cache before");
    }
  }

  private void free() {
    content.ifPresent(Content::close);
    content = Optional.empty();
    admission.forget(this);
  }

  @Override
  public synchronized void reclaim() {
    if (!used) {
      free();
    }
  }

  @Override
  public synchronized int tokens() {
    return content.map(Content::tokens).orElse(0);
  }

  @Override
  public synchronized long bytes() {
    return content.map(kept -> kept.run().cacheBytes()).orElse(0L);
  }

  @Override
  public KeptRun fork() {
    KeptRun other = new KeptRun(sessions, admission);
    synchronized (this) {
      requireFree();
      other.content = content.map(kept -> kept.copy(sessions.scope()));
    }
    if (other.tokens() > 0) {
      admission.keep(other, other.bytes());
    }
    return other;
  }

  @Override
  public synchronized void clear() {
    requireFree();
    free();
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (!used) {
      free();
    }
  }
}

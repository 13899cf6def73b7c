package dev.squint;

import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.GenerationRequest.CacheReuse;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.family.ImageOptions;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * How the turns of a conversation are answered. Immutable; made by a builder:
 *
 * <pre>{@code
 * ConversationOptions options =
 *     ConversationOptions.builder().system("be brief").strategy("fastervlm:keep=0.25").build();
 * }</pre>
 */
public final class ConversationOptions {

  private final Optional<String> system;
  private final Strategy strategy;
  private final GenerationOptions options;
  private final List<String> stop;
  private final Optional<Duration> deadline;
  private final CacheReuse reuse;
  private final long maxCacheBytes;
  private final ImageOptions imageOptions;

  private ConversationOptions(Builder builder) {
    system = builder.system;
    strategy = builder.strategy;
    options = builder.options;
    stop = builder.stop;
    deadline = builder.deadline;
    reuse = builder.reuse;
    maxCacheBytes = builder.maxCacheBytes;
    imageOptions = builder.imageOptions;
  }

  /** Unpruned, as the model has it, what was selected stays, no limit of memory but the model's. */
  public static ConversationOptions defaults() {
    return builder().build();
  }

  /** Starts from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** How to answer, said before all turns. */
  public Optional<String> system() {
    return system;
  }

  /** Which visual tokens are dropped where. */
  public Strategy strategy() {
    return strategy;
  }

  /** How each turn is answered. */
  public GenerationOptions options() {
    return options;
  }

  /** Texts that end an answer. */
  public List<String> stop() {
    return stop;
  }

  /** How long a turn may take. */
  public Optional<Duration> deadline() {
    return deadline;
  }

  /** What becomes of the selection that an earlier turn has made. */
  public CacheReuse reuse() {
    return reuse;
  }

  /** Bytes that are kept between turns at most. */
  public long maxCacheBytes() {
    return maxCacheBytes;
  }

  /** How images are prepared. */
  ImageOptions imageOptions() {
    return imageOptions;
  }

  /** Collects the options. */
  public static final class Builder {

    private Optional<String> system = Optional.empty();
    private Strategy strategy = Strategies.parse("none");
    private GenerationOptions options = GenerationOptions.defaults();
    private List<String> stop = List.of();
    private Optional<Duration> deadline = Optional.empty();
    private CacheReuse reuse = CacheReuse.KEEP_SELECTION;
    private long maxCacheBytes = Long.MAX_VALUE;
    private ImageOptions imageOptions = ImageOptions.DEFAULTS;

    private Builder() {}

    /** Sets how to answer, said before all turns. */
    public Builder system(String text) {
      system = Optional.of(text);
      return this;
    }

    /** Sets which visual tokens are dropped where; none unless set. */
    public Builder strategy(String spec) {
      return strategy(Strategies.parse(spec));
    }

    /** Sets which visual tokens are dropped where. */
    public Builder strategy(Strategy which) {
      strategy = Objects.requireNonNull(which, "strategy");
      return this;
    }

    /** Sets how each turn is answered. */
    public Builder options(GenerationOptions forEach) {
      options = Objects.requireNonNull(forEach, "options");
      return this;
    }

    /** Sets texts that end an answer. */
    public Builder stop(String... texts) {
      stop = List.copyOf(Arrays.asList(texts));
      return this;
    }

    /** Sets how long a turn may take. */
    public Builder deadline(Duration after) {
      deadline = Optional.of(after);
      return this;
    }

    /**
     * Sets what becomes of the selection that an earlier turn has made, where a strategy looks at
     * the question: with {@link CacheReuse#KEEP_SELECTION} what the first question about an image
     * kept of it stays kept, and a turn runs only what is new; with {@link CacheReuse#SELECT_ANEW}
     * each turn chooses for its own question, and runs whole. Strategies that do not look at the
     * question go on from earlier turns either way.
     */
    public Builder reuse(CacheReuse what) {
      reuse = Objects.requireNonNull(what, "reuse");
      return this;
    }

    /**
     * Sets how many bytes are kept between turns at most. What takes more is given up, and the next
     * turn runs whole.
     *
     * @param bytes 0 or more
     */
    public Builder maxCacheBytes(long bytes) {
      maxCacheBytes = bytes;
      return this;
    }

    /** Sets a lower bound for images: see {@link ChatRequest.Builder#minImagePixels}. */
    public Builder minImagePixels(long pixels) {
      imageOptions = imageOptions.withMinPixels(pixels);
      return this;
    }

    /** Sets an upper bound for images: see {@link ChatRequest.Builder#maxImagePixels}. */
    public Builder maxImagePixels(long pixels) {
      imageOptions = imageOptions.withMaxPixels(pixels);
      return this;
    }

    /**
     * Makes the options.
     *
     * @throws ModelException if the number of bytes is negative
     */
    public ConversationOptions build() {
      if (maxCacheBytes < 0) {
        throw new ModelException(
            Kind.BAD_REQUEST,
            "a conversation cannot keep %d bytes; choose 0 or more".formatted(maxCacheBytes));
      }
      return new ConversationOptions(this);
    }
  }
}

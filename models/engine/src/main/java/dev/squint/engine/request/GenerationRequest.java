package dev.squint.engine.request;

import dev.squint.pruning.Strategy;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * One request to a model: a prompt and all that is wanted with it. Immutable; made by a builder:
 *
 * <pre>{@code
 * GenerationRequest request =
 *     GenerationRequest.builder(prompt).strategy(strategy).deadline(Duration.ofSeconds(5)).build();
 * }</pre>
 */
public final class GenerationRequest {

  private final ModelInput prompt;
  private final Optional<List<PreparedImages>> images;
  private final Optional<Strategy> strategy;
  private final GenerationOptions options;
  private final TokenListener listener;
  private final Cancellation cancellation;
  private final Optional<Duration> deadline;
  private final Optional<PromptCache> cache;
  private final CacheReuse reuse;
  private final long preprocessingNanos;
  private final List<String> notes;

  /** When a request may go on from the tokens that an earlier one kept. */
  public enum CacheReuse {
    /**
     * Whenever the prompts share a beginning with all images: what the earlier request kept of them
     * stays kept, though it was chosen for another question.
     */
    KEEP_SELECTION,
    /**
     * Only where the question has no say in what is kept; where it has, the request runs whole and
     * chooses anew.
     */
    SELECT_ANEW
  }

  private GenerationRequest(Builder builder) {
    prompt = builder.prompt;
    images = builder.images;
    strategy = builder.strategy;
    options = builder.options;
    listener = builder.listener;
    cancellation = builder.cancellation;
    deadline = builder.deadline;
    cache = builder.cache;
    reuse = builder.reuse;
    preprocessingNanos = builder.preprocessingNanos;
    notes = builder.notes;
  }

  /** Starts a request: unpruned, with the default options. */
  public static Builder builder(ModelInput prompt) {
    return new Builder(prompt);
  }

  /** The prompt. */
  public ModelInput prompt() {
    return prompt;
  }

  /** Its images as they were prepared, in order; empty if they are encoded for this request. */
  public Optional<List<PreparedImages>> images() {
    return images;
  }

  /** Which visual tokens to drop where; empty to prune nothing. */
  public Optional<Strategy> strategy() {
    return strategy;
  }

  /** When to stop and what to report. */
  public GenerationOptions options() {
    return options;
  }

  /** Gets the tokens. */
  public TokenListener listener() {
    return listener;
  }

  /** Ends the request. */
  public Cancellation cancellation() {
    return cancellation;
  }

  /** How long it may take, from its call on. */
  public Optional<Duration> deadline() {
    return deadline;
  }

  /** What an earlier request left behind, and where this one leaves its own. */
  public Optional<PromptCache> cache() {
    return cache;
  }

  /** When the cache is gone on from. */
  public CacheReuse reuse() {
    return reuse;
  }

  /** What decoding images, rendering and tokenizing took, for the trace. */
  public long preprocessingNanos() {
    return preprocessingNanos;
  }

  /** What the trace says beside what happened. */
  public List<String> notes() {
    return notes;
  }

  /** Collects the parts. */
  public static final class Builder {

    private final ModelInput prompt;
    private Optional<List<PreparedImages>> images = Optional.empty();
    private Optional<Strategy> strategy = Optional.empty();
    private GenerationOptions options = GenerationOptions.defaults();
    private TokenListener listener = token -> true;
    private Cancellation cancellation = new Cancellation();
    private Optional<Duration> deadline = Optional.empty();
    private Optional<PromptCache> cache = Optional.empty();
    private CacheReuse reuse = CacheReuse.KEEP_SELECTION;
    private long preprocessingNanos;
    private List<String> notes = List.of();

    private Builder(ModelInput prompt) {
      this.prompt = Objects.requireNonNull(prompt, "prompt");
    }

    /**
     * Sets the images, prepared before.
     *
     * @param prepared for each of the prompt's pixel values, in order, what was prepared from it
     */
    public Builder images(List<PreparedImages> prepared) {
      images = Optional.of(List.copyOf(prepared));
      return this;
    }

    /** Sets which visual tokens to drop where. */
    public Builder strategy(Strategy which) {
      strategy = Optional.of(which);
      return this;
    }

    /** Sets when to stop and what to report. */
    public Builder options(GenerationOptions wanted) {
      options = Objects.requireNonNull(wanted, "options");
      return this;
    }

    /** Sets who gets the tokens. */
    public Builder listener(TokenListener to) {
      listener = Objects.requireNonNull(to, "listener");
      return this;
    }

    /** Sets what ends the request from outside. */
    public Builder cancellation(Cancellation by) {
      cancellation = Objects.requireNonNull(by, "cancellation");
      return this;
    }

    /** Sets how long the request may take, from its call on. */
    public Builder deadline(Duration after) {
      deadline = Optional.of(after);
      return this;
    }

    /** Sets what an earlier request left behind. */
    public Builder cache(PromptCache of, CacheReuse when) {
      cache = Optional.of(of);
      reuse = Objects.requireNonNull(when, "when");
      return this;
    }

    /** Sets what decoding images, rendering and tokenizing took. */
    public Builder preprocessingNanos(long nanos) {
      preprocessingNanos = nanos;
      return this;
    }

    /** Notes of the trace, such as what the model's files lack. */
    public Builder notes(List<String> sentences) {
      notes = List.copyOf(sentences);
      return this;
    }

    /** Makes the request. */
    public GenerationRequest build() {
      return new GenerationRequest(this);
    }
  }
}

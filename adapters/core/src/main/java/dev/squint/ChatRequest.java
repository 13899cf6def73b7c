package dev.squint;

import dev.squint.engine.request.Cancellation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.SamplingOptions;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.family.ImageOptions;
import dev.squint.family.PromptException;
import dev.squint.family.PromptForm;
import dev.squint.image.ImageInput;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Messages, and how they are to be answered. Immutable; made by a builder:
 *
 * <pre>{@code
 * ChatRequest request =
 *     ChatRequest.builder()
 *         .system("answer in one word")
 *         .user(ImageInput.of(Path.of("scene.png")), "what color is the circle?")
 *         .strategy("fastv:k=2,keep=0.5")
 *         .maxTokens(32)
 *         .stop("\n")
 *         .deadline(Duration.ofSeconds(10))
 *         .build();
 * }</pre>
 */
public final class ChatRequest {

  private static final int MOST_STOPS = 64;
  private static final int LONGEST_STOP = 1_000;

  private final List<ChatMessage> messages;
  private final Strategy strategy;
  private final GenerationOptions options;
  private final List<String> stop;
  private final Optional<Duration> deadline;
  private final Cancellation cancellation;
  private final ImageOptions imageOptions;
  private final PromptForm form;

  private ChatRequest(Builder builder) {
    messages = List.copyOf(builder.messages);
    strategy = builder.strategy;
    options = builder.options.build();
    stop = builder.stop;
    deadline = builder.deadline;
    cancellation = builder.cancellation;
    imageOptions = builder.imageOptions;
    form = builder.form;
  }

  /** Starts a request: unpruned, drawn as the model has it, of at most 96 tokens. */
  public static Builder builder() {
    return new Builder();
  }

  /** Starts from this request. */
  public Builder toBuilder() {
    Builder builder =
        new Builder().strategy(strategy).options(options).stop(stop).cancellation(cancellation);
    builder.messages.addAll(messages);
    builder.deadline = deadline;
    builder.imageOptions = imageOptions;
    builder.form = form;
    return builder;
  }

  /** The messages so far; the last is the user's. */
  public List<ChatMessage> messages() {
    return messages;
  }

  /** Which visual tokens are dropped where. */
  public Strategy strategy() {
    return strategy;
  }

  /** How tokens are drawn, how many there may be, and what is measured. */
  public GenerationOptions options() {
    return options;
  }

  /** Texts that end the answer, which goes up to the first of them. */
  public List<String> stop() {
    return stop;
  }

  /** How long it may take, from its call on. */
  public Optional<Duration> deadline() {
    return deadline;
  }

  /** Ends it from outside. */
  public Cancellation cancellation() {
    return cancellation;
  }

  /** How its images are prepared. */
  ImageOptions imageOptions() {
    return imageOptions;
  }

  /** How its messages become a text. */
  PromptForm form() {
    return form;
  }

  /** Collects the parts. */
  public static final class Builder {

    private final List<ChatMessage> messages = new ArrayList<>();
    private Strategy strategy = Strategies.parse("none");
    private GenerationOptions.Builder options = GenerationOptions.builder();
    private List<String> stop = List.of();
    private Optional<Duration> deadline = Optional.empty();
    private Cancellation cancellation = new Cancellation();
    private ImageOptions imageOptions = ImageOptions.DEFAULTS;
    private PromptForm form = PromptForm.OWN;

    private Builder() {}

    /** Adds a message. */
    public Builder message(ChatMessage message) {
      messages.add(Objects.requireNonNull(message, "message"));
      return this;
    }

    /** Sets all messages, instead of those added so far. */
    public Builder messages(List<ChatMessage> all) {
      messages.clear();
      all.forEach(this::message);
      return this;
    }

    /** Adds how to answer. */
    public Builder system(String text) {
      return message(ChatMessage.system(text));
    }

    /** Adds a question. */
    public Builder user(String text) {
      return message(ChatMessage.user(text));
    }

    /** Adds a question about an image. */
    public Builder user(ImageInput image, String text) {
      return message(ChatMessage.user(image, text));
    }

    /** Adds a question about an image that other requests share. */
    public Builder user(PreparedImage image, String text) {
      return message(ChatMessage.user(image, text));
    }

    /** Adds an earlier answer of the model. */
    public Builder assistant(String text) {
      return message(ChatMessage.assistant(text));
    }

    /**
     * Sets which visual tokens are dropped where.
     *
     * @param spec such as {@code fastv:k=2,keep=0.5}; {@code none} unless set
     * @throws dev.squint.error.StrategyException if it is none
     */
    public Builder strategy(String spec) {
      return strategy(Strategies.parse(spec));
    }

    /** Sets which visual tokens are dropped where. */
    public Builder strategy(Strategy which) {
      strategy = Objects.requireNonNull(which, "strategy");
      return this;
    }

    /** Sets how tokens are drawn, how many there may be, and what is measured, all at once. */
    public Builder options(GenerationOptions all) {
      options = all.toBuilder();
      return this;
    }

    /**
     * Sets how tokens are drawn; as the model's {@code generation_config.json} has it unless set.
     */
    public Builder sampling(SamplingOptions how) {
      options.sampling(how);
      return this;
    }

    /** Sets how many tokens the answer may have, 1 or more; 96 unless set. */
    public Builder maxTokens(int tokens) {
      options.maxNewTokens(tokens);
      return this;
    }

    /** Sets what strategies that draw at random start from; 0 unless set. */
    public Builder seed(long start) {
      options.seed(start);
      return this;
    }

    /** Sets whether the unpruned model is run too, to compare times; this costs several runs. */
    public Builder measureSpeedup(boolean measure) {
      options.measureSpeedup(measure);
      return this;
    }

    /** Sets texts that end the answer, which goes up to the first of them. */
    public Builder stop(String... texts) {
      return stop(Arrays.asList(texts));
    }

    /** Sets texts that end the answer, which goes up to the first of them. */
    public Builder stop(List<String> texts) {
      stop = List.copyOf(texts);
      return this;
    }

    /** Sets how long the request may take, from its call on. */
    public Builder deadline(Duration after) {
      deadline = Optional.of(after);
      return this;
    }

    /**
     * Sets the area that images of less are enlarged to, their shape kept, where the model takes
     * images of any size: instead of the bound in its files. What was prepared before stays.
     *
     * @param pixels 1 or more
     */
    public Builder minImagePixels(long pixels) {
      imageOptions = imageOptions.withMinPixels(pixels);
      return this;
    }

    /**
     * Sets the area that images of more are made smaller to, their shape kept, where the model
     * takes images of any size: instead of the bound in its files. What was prepared before stays.
     *
     * @param pixels 1 or more
     */
    public Builder maxImagePixels(long pixels) {
      imageOptions = imageOptions.withMaxPixels(pixels);
      return this;
    }

    /**
     * Sets a chat template in the place of the model's own.
     *
     * @param jinja its text, as {@code chat_template.jinja} would hold it; it is checked when the
     *     request is answered
     */
    public Builder chatTemplate(String jinja) {
      form = new PromptForm(Optional.of(jinja), false);
      return this;
    }

    /**
     * Sets that the only message is the text of the prompt as the model gets it: no chat template
     * is rendered, special tokens in it are special, and each image's placeholder stands where the
     * image goes. So it must hold no text of strangers.
     */
    public Builder rawPrompt() {
      form = new PromptForm(Optional.empty(), true);
      return this;
    }

    /** Sets how its images are prepared. */
    Builder imageOptions(ImageOptions how) {
      imageOptions = how;
      return this;
    }

    /** Sets what ends the request from outside. */
    public Builder cancellation(Cancellation by) {
      cancellation = Objects.requireNonNull(by, "cancellation");
      return this;
    }

    /**
     * Makes the request.
     *
     * @throws PromptException if there is no message
     * @throws ModelException if a stop string, the deadline or the number of tokens cannot be
     */
    public ChatRequest build() {
      if (messages.isEmpty()) {
        throw new PromptException("the request has no messages; ask a question");
      }
      checkStops(stop);
      if (deadline.isPresent() && (deadline.get().isZero() || deadline.get().isNegative())) {
        throw new ModelException(
            Kind.BAD_REQUEST,
            "the deadline is %s; give the request more than no time".formatted(deadline.get()));
      }
      return new ChatRequest(this);
    }

    private static void checkStops(List<String> stops) {
      if (stops.size() > MOST_STOPS) {
        throw new ModelException(
            Kind.BAD_REQUEST,
            "there are %d stop strings; give up to %d".formatted(stops.size(), MOST_STOPS));
      }
      for (String stop : stops) {
        if (stop.isEmpty() || stop.length() > LONGEST_STOP) {
          throw new ModelException(
              Kind.BAD_REQUEST,
              "a stop string has %d characters; give 1 to %d"
                  .formatted(stop.length(), LONGEST_STOP));
        }
        if (stop.codePoints().anyMatch(c -> c <= 0xffff && Character.isSurrogate((char) c))) {
          throw new ModelException(
              Kind.BAD_REQUEST, "a stop string holds half of a character; give whole ones");
        }
      }
    }
  }
}

package dev.squint;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.options.OnClose;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.error.SquintException.Kind;
import dev.squint.family.ImageOptions;
import dev.squint.family.ModelFamily;
import dev.squint.family.PromptException;
import dev.squint.family.TokenMap;
import dev.squint.hub.HubListener;
import dev.squint.hub.HubOptions;
import dev.squint.hub.ModelHub;
import dev.squint.image.ImageException;
import dev.squint.image.ImageInput;
import dev.squint.image.OpenCv;
import dev.squint.image.RgbImage;
import dev.squint.overlay.Overlay;
import dev.squint.overlay.OverlayException;
import dev.squint.overlay.OverlayFile;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.trace.Trace;
import dev.squint.tokenizer.TokenizerLibrary;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Asks a vision-language model about images and prunes its visual tokens on the way.
 *
 * <pre>{@code
 * try (Squint squint = Squint.load()) {
 *   Answer answer = squint.ask(Path.of("scene.png"), "how many circles are there?", "fastv:k=2,keep=0.5");
 *   System.out.println(answer.text() + " " + answer.trace().sites());
 * }
 * }</pre>
 *
 * <p>Thread-safe; options are per request. Close it to free the model's native memory.
 */
public final class Squint implements AutoCloseable {

  /** What {@link #caption} asks. */
  public static final String CAPTION_PROMPT = "describe the picture.";

  private static final long OPENED_FOR_A_LOOK = 2L << 30;
  private static final int SMALLEST_SIDE = 32;
  private static final int WARM_UP_RUNS = 40;
  private static final long WARM_UP_NANOS = 2_000_000_000;
  private static final int WARM_UP_TOKENS = 8;
  private static final String WARM_UP_QUESTION = "what is in the image?";

  private final VisionLanguageModel model;
  private final ModelFamily family;
  private final ChatRunner runner;
  private final OnClose onClose;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  private Squint(VisionLanguageModel model, ModelOptions options) {
    this.model = model;
    this.onClose = options.onClose();
    OpenCv.load(options.cacheFolder());
    TokenizerLibrary.prepare(options.cacheFolder());
    this.family = ModelFamily.of(model);
    this.runner = new ChatRunner(model, family);
  }

  /** Loads the embedded model, squint-tiny, on the processor. */
  public static Squint load() {
    return load(ModelOptions.defaults());
  }

  /**
   * Loads the embedded model.
   *
   * @throws dev.squint.error.ModelException if the provider cannot be used or the model cannot be
   *     unpacked
   */
  public static Squint load(ModelOptions options) {
    return over(VisionLanguageModel.openEmbedded(options), options);
  }

  /** Loads a model folder in hub layout on the processor. */
  public static Squint load(Path modelFolder) {
    return load(modelFolder, ModelOptions.defaults());
  }

  /**
   * Loads a model folder in hub layout.
   *
   * @throws dev.squint.error.ModelException if a file is missing or cannot be used
   */
  public static Squint load(Path modelFolder, ModelOptions options) {
    ModelFamily.checkFolder(modelFolder);
    return over(VisionLanguageModel.open(modelFolder, options), options);
  }

  /**
   * Loads a model from a hub, on the processor: downloads what of it is not in the cache that all
   * of a user's programs share.
   *
   * @param repository {@code OWNER/NAME}, such as {@code onnx-community/SmolVLM-256M-Instruct}
   * @throws dev.squint.hub.HubException if it cannot be had
   * @throws dev.squint.error.ModelException if a file is missing or cannot be used
   */
  public static Squint load(String repository) {
    return load(repository, ModelOptions.defaults(), HubOptions.defaults());
  }

  /**
   * Loads a model from a hub, in the precision that the options name.
   *
   * @param repository {@code OWNER/NAME}
   * @param options how it is loaded
   * @param hub where it comes from and goes
   */
  public static Squint load(String repository, ModelOptions options, HubOptions hub) {
    Path folder =
        new ModelHub(hub).pull(repository, ModelHub.MAIN, options.precision(), HubListener.NONE);
    return load(folder, options);
  }

  /**
   * Whether a model can be asked: what {@link #load(Path, ModelOptions)} and a first question would
   * say. All its files are read but the weights. Its graphs are opened over them once if all files
   * together have up to 2 GiB; opening more than that takes the memory of an answer.
   *
   * @param modelFolder a folder in hub layout
   * @param options how it would be loaded
   */
  public static Answerable answerable(Path modelFolder, ModelOptions options) {
    return answerable(modelFolder, options, OPENED_FOR_A_LOOK);
  }

  /** The same for another size up to which graphs are opened, in bytes. */
  static Answerable answerable(Path modelFolder, ModelOptions options, long opened) {
    try (Squint squint = load(modelFolder, options)) {
      boolean opens = squint.model.fileBytes() <= opened;
      if (opens) {
        squint.model.requireOpens();
      }
      return new Answerable(
          Optional.empty(),
          OptionalInt.of(squint.facts().visualTokens()),
          opens,
          squint.family.notes());
    } catch (SquintException e) {
      return new Answerable(Optional.of(e.getMessage()), OptionalInt.empty(), false, List.of());
    }
  }

  private static Squint over(VisionLanguageModel model, ModelOptions options) {
    try {
      return new Squint(model, options);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** Asks without pruning. */
  public Answer ask(Path image, String question) {
    return ask(image, question, "none");
  }

  /** Asks with the strategy that a spec such as {@code fastv:k=2,keep=0.5} names. */
  public Answer ask(Path image, String question, String strategySpec) {
    Strategy strategy = Strategies.parse(strategySpec);
    return ask(ImageInput.of(image), question, strategy, GenerationOptions.defaults());
  }

  /**
   * Asks a question about an image.
   *
   * @throws ImageException if the image cannot be used
   * @throws PromptException if the question is blank or longer than the context
   * @throws dev.squint.error.StrategyException if the strategy cannot act on this model
   */
  public Answer ask(
      ImageInput image, String question, Strategy strategy, GenerationOptions options) {
    return ask(ChatMessage.user(image, question), strategy, options);
  }

  /**
   * Asks a question about an image that others may have been asked about. The vision time in the
   * trace is what this question waited for.
   *
   * @throws PromptException if the question is blank or longer than the context
   * @throws dev.squint.error.StrategyException if the strategy cannot act on this model
   */
  public Answer ask(
      PreparedImage image, String question, Strategy strategy, GenerationOptions options) {
    return ask(ChatMessage.user(image, question), strategy, options);
  }

  private Answer ask(ChatMessage message, Strategy strategy, GenerationOptions options) {
    return chat(ChatRequest.builder().message(message).strategy(strategy).options(options).build())
        .answer();
  }

  /**
   * Answers a chat; returns when all is said.
   *
   * @throws ImageException if an image cannot be used
   * @throws PromptException if a text is blank, or the messages are longer than the context, or do
   *     not end with the user's
   * @throws ModelException if the model's chat template cannot put the messages, or a prepared
   *     image is closed or of another model
   * @throws dev.squint.error.StrategyException if the strategy cannot act on this model
   * @throws SquintException of kind {@link Kind#OVERLOAD} if there is no room for the request. One
   *     that is cancelled or runs out of time is answered with what there is by then
   */
  public ChatResponse chat(ChatRequest request) {
    return chat(request, piece -> {});
  }

  /**
   * Answers a chat piece by piece; returns when all is said.
   *
   * @param request the chat
   * @param pieces gets the answer as it comes, on this thread: whole characters, no stop string, no
   *     space at either end; all pieces joined are the answer. What it throws ends the request and
   *     reaches the caller
   * @throws SquintException as {@link #chat(ChatRequest)} does
   */
  public ChatResponse chat(ChatRequest request, Consumer<? super String> pieces) {
    long start = System.nanoTime();
    return open(
        () -> {
          Map<ShownImage, PreparedImage> seen = new HashMap<>();
          try {
            request.strategy().plan(model.facts());
            List<ChatMessage> messages =
                runner.prepared(request.messages(), request.imageOptions(), seen);
            return runner.run(request, messages, start, Optional.empty(), pieces).response();
          } finally {
            seen.values().forEach(PreparedImage::close);
          }
        });
  }

  /** Answers a chat on a thread of its own. */
  public CompletableFuture<ChatResponse> chatAsync(ChatRequest request) {
    return chatAsync(request, piece -> {}, AsyncChat.THREADS);
  }

  /**
   * Answers a chat on another thread.
   *
   * @param request the chat
   * @param pieces gets the answer as it comes, on that thread; nothing more once the future is done
   *     but a piece that is being given at that moment
   * @param executor runs it; the thread is taken for as long as the answer takes
   * @return the answer, or the exception that {@link #chat(ChatRequest, Consumer)} throws. Ending
   *     it first, as by {@link CompletableFuture#cancel} or {@link CompletableFuture#orTimeout},
   *     ends the request; cancelling the request's own {@link ChatRequest#cancellation()} completes
   *     it with what was said by then
   */
  public CompletableFuture<ChatResponse> chatAsync(
      ChatRequest request, Consumer<? super String> pieces, Executor executor) {
    return AsyncChat.start(this, request, pieces, executor);
  }

  /** The pieces of an answer for one subscriber, on a thread of its own. */
  public ChatStream stream(ChatRequest request) {
    return stream(request, AsyncChat.THREADS);
  }

  /**
   * The pieces of an answer for one subscriber.
   *
   * @param request the chat, begun when somebody subscribes
   * @param executor runs it
   */
  public ChatStream stream(ChatRequest request, Executor executor) {
    return new ChatStream(pieces -> chatAsync(request, pieces, executor));
  }

  /**
   * Answers several chats, one after the other. Each image that is the same object is encoded once
   * for each set of observations, and chats of one strategy about the same images run the beginning
   * that they share once, where the strategy keeps the same tokens whatever is asked. Answers are
   * those of each chat alone.
   *
   * @return the answers in the order of the requests
   * @throws SquintException what the first failing chat throws; those after it are not answered
   */
  public List<ChatResponse> chatAll(List<ChatRequest> requests) {
    return open(() -> new ChatBatch(runner, requests).run());
  }

  /**
   * A conversation of several turns over the same images, which goes on from what earlier turns
   * have left.
   *
   * @return it, to be closed by the caller before this
   */
  public Conversation conversation(ConversationOptions options) {
    return open(() -> new Conversation(this, options));
  }

  /** A conversation without pruning. */
  public Conversation conversation() {
    return conversation(ConversationOptions.defaults());
  }

  /**
   * Opens what strategies need, and answers a question about a blank image with each: twice, and on
   * for two seconds if that is soon done, so that the first request is as fast as those after it.
   *
   * @param strategySpecs such as {@code none} and {@code fastv:k=2,keep=0.5}; more than {@link
   *     ModelOptions#maxCachedSplits()} do not stay loaded
   * @throws dev.squint.error.StrategyException if one cannot act on this model
   */
  public void warmUp(List<String> strategySpecs) {
    List<Strategy> strategies = strategySpecs.stream().map(Strategies::parse).toList();
    strategies.forEach(strategy -> strategy.plan(model.facts()));
    int side = Math.max(SMALLEST_SIDE, model.config().vision().imageSize());
    ImageInput blank = ImageInput.of(new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB));
    GenerationOptions few = GenerationOptions.builder().maxNewTokens(WARM_UP_TOKENS).build();
    for (Strategy strategy : strategies) {
      ask(blank, WARM_UP_QUESTION, strategy, few);
      long start = System.nanoTime();
      int runs = 0;
      do {
        ask(blank, WARM_UP_QUESTION, strategy, few);
      } while (++runs < WARM_UP_RUNS && System.nanoTime() - start < WARM_UP_NANOS);
    }
  }

  /** Does something that needs the model open, and keeps it so. */
  <T> T open(Supplier<T> something) {
    lock.readLock().lock();
    try {
      checkOpen();
      return something.get();
    } finally {
      lock.readLock().unlock();
    }
  }

  ChatRunner runner() {
    return runner;
  }

  /**
   * Takes an image that several questions are about: it is decoded now, and encoded when a question
   * first needs it.
   *
   * @param image the image
   * @return it, to be closed by the caller
   * @throws ImageException if the image cannot be used
   */
  public PreparedImage prepare(ImageInput image) {
    return open(() -> runner.prepare(new ShownImage(image, ImageOptions.DEFAULTS)));
  }

  /**
   * Takes an image resized so that it becomes fewer visual tokens, or more: what pruning has to
   * beat. It may be pruned like any other.
   *
   * @param image the image
   * @param rows rows of visual tokens
   * @param columns visual tokens in a row
   * @return it, to be closed by the caller
   * @throws ImageException if the image cannot be used
   * @throws ModelException if the vision encoder takes images of one size only
   */
  public PreparedImage prepare(ImageInput image, int rows, int columns) {
    return open(
        () -> {
          if (rows < 1 || columns < 1) {
            throw new ModelException(
                "a grid of %d x %d visual tokens is none; choose 1 x 1 or more"
                    .formatted(rows, columns));
          }
          if (!canResize()) {
            throw new ModelException(
                "the vision encoder of %s takes images of one size only; export it with open height and width"
                    .formatted(model.facts().name()));
          }
          return runner.prepared(family.resized(RgbImage.decode(image), rows, columns));
        });
  }

  /** Whether the vision encoder takes images of other sizes than its own. */
  public boolean canResize() {
    return family.canResize();
  }

  private void checkOpen() {
    if (closed) {
      throw new ModelException(Kind.BAD_REQUEST, "the model is closed; load it again");
    }
  }

  /** Describes an image. */
  public Answer caption(Path image, String strategySpec) {
    Strategy strategy = Strategies.parse(strategySpec);
    return caption(ImageInput.of(image), strategy, GenerationOptions.defaults());
  }

  /**
   * Describes an image; throws what {@link #ask(ImageInput, String, Strategy, GenerationOptions)}
   * does.
   */
  public Answer caption(ImageInput image, Strategy strategy, GenerationOptions options) {
    return ask(image, CAPTION_PROMPT, strategy, options);
  }

  /**
   * Writes the image as the model saw it with dropped patches dimmed, and a score map next to it.
   *
   * @param image the image that was asked about
   * @param answer what came of it
   * @param target a PNG file
   * @throws OverlayException if the file cannot be written, or is the image or one of the model
   */
  public void overlay(ImageInput image, Answer answer, Path target) {
    OverlayFile.check(target, Path.of(image.name()), folder());
    OverlayFile.write(target, overlay(image, answer.trace()));
  }

  /**
   * Draws the image as the model saw it with dropped patches dimmed, and a score map next to it.
   *
   * @param image the image that was asked about
   * @param trace of the answer
   * @return an encoded PNG
   */
  public byte[] overlay(ImageInput image, Trace trace) {
    RgbImage decoded = RgbImage.decode(image);
    List<TokenMap> maps = family.maps(decoded);
    if (maps.isEmpty()) {
      maps = List.of(patches(trace));
    }
    int tokens = maps.stream().mapToInt(TokenMap::count).sum();
    if (trace.visualTokens() != tokens) {
      throw new OverlayException(
          "the answer is about %d visual tokens, but this image becomes %d; draw one that was asked about alone and in its own size"
              .formatted(trace.visualTokens(), tokens));
    }
    return new Overlay(maps).draw(family.seen(decoded), trace);
  }

  private TokenMap patches(Trace trace) {
    VisionShape vision = model.facts().vision();
    if (trace.visualTokens() % vision.patches() == 0 && trace.visualTokens() != vision.patches()) {
      throw new OverlayException(
          "the answer is about %d images; draw one that was asked about alone"
              .formatted(trace.visualTokens() / vision.patches()));
    }
    if (model.facts().visualTokens() != vision.patches()) {
      throw new OverlayException(
          "the image became %d visual tokens, which are not the %d patches of its grid, so they cannot be drawn on it; ask without an overlay"
              .formatted(model.facts().visualTokens(), vision.patches()));
    }
    return TokenMap.grid(vision.gridRows(), vision.gridColumns());
  }

  /**
   * How a question is put to the model: the text that its chat template makes, {@code {question}}
   * standing for the question and the model's placeholder once for the image.
   */
  public String promptTemplate() {
    return family.prompts().template();
  }

  /** Where the model was loaded from. */
  public Path folder() {
    return model.folder();
  }

  /** Shapes of the loaded model. */
  public ModelShape facts() {
    return model.facts();
  }

  /** Where it runs: {@code cpu} or {@code cuda:0}. */
  public String provider() {
    return model.provider();
  }

  /**
   * How many different splits of the decoder some strategies need. One that refuses this model
   * needs none.
   */
  public int splitsOf(Collection<Strategy> strategies) {
    return model.splitsOf(strategies);
  }

  /** How many splits of the decoder stay loaded while nobody uses them. */
  public int maxCachedSplits() {
    return model.maxCachedSplits();
  }

  /** Version of ONNX Runtime, which runs it. */
  public String runtimeVersion() {
    return model.runtimeVersion();
  }

  /**
   * Frees the model and its tokenizer after the calls under way, which are waited for or
   * {@linkplain ModelOptions#onClose() cancelled}; a second call does nothing.
   *
   * @throws ModelException if it is called from within a request, as by who gets its pieces
   */
  @Override
  public void close() {
    if (lock.getReadHoldCount() > 0) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the model is closed from within one of its requests; close it when that has returned");
    }
    if (onClose == OnClose.CANCEL) {
      model.close();
    }
    lock.writeLock().lock();
    try (model;
        family) {
      closed = true;
    } finally {
      lock.writeLock().unlock();
    }
  }
}

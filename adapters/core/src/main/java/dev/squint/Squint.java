package dev.squint;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.error.SquintException.Kind;
import dev.squint.error.StrategyException;
import dev.squint.family.ModelFamily;
import dev.squint.family.PromptException;
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
import dev.squint.tokenizer.TokenizerLibrary;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

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

  private final VisionLanguageModel model;
  private final ModelFamily family;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  private Squint(VisionLanguageModel model, Path cacheFolder) {
    this.model = model;
    OpenCv.load(cacheFolder);
    TokenizerLibrary.prepare(cacheFolder);
    this.family = ModelFamily.of(model);
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
      return new Answerable(Optional.empty(), OptionalInt.of(squint.facts().visualTokens()), opens);
    } catch (SquintException e) {
      return new Answerable(Optional.of(e.getMessage()), OptionalInt.empty(), false);
    }
  }

  private static Squint over(VisionLanguageModel model, ModelOptions options) {
    try {
      return new Squint(model, options.cacheFolder());
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
    strategy.plan(model.facts());
    try (PreparedImage prepared = prepare(image)) {
      return ask(prepared, question, strategy, options);
    }
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
    lock.readLock().lock();
    try {
      checkOpen();
      PixelValues pixels = family.pixels(RgbImage.decode(image));
      return new PreparedImage(pixels, model.prepare(pixels));
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * Takes an image resized so that it becomes fewer visual tokens, or more: what pruning has to
   * beat. It is asked about unpruned.
   *
   * @param image the image
   * @param rows rows of visual tokens
   * @param columns visual tokens in a row
   * @return it, to be closed by the caller
   * @throws ImageException if the image cannot be used
   * @throws ModelException if the vision encoder takes images of one size only
   */
  public PreparedImage prepare(ImageInput image, int rows, int columns) {
    lock.readLock().lock();
    try {
      checkOpen();
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
      PixelValues pixels = family.pixels(RgbImage.decode(image), rows, columns);
      return new PreparedImage(pixels, model.prepare(pixels));
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Whether the vision encoder takes images of other sizes than its own. */
  public boolean canResize() {
    return model.takesAnySize();
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
    lock.readLock().lock();
    try {
      checkOpen();
      ModelInput prompt = family.prompt(question, image.pixels());
      if (prompt.layout().visualTokens() != model.facts().visualTokens()
          && !strategy.plan(model.facts()).isEmpty()) {
        throw new StrategyException(
            "strategy '%s': a resized image is asked about unpruned; use none"
                .formatted(strategy.name()));
      }
      Generation generation = model.generate(prompt, image.encoded(), strategy, options);
      return new Answer(family.text(generation.tokens()), generation.trace());
    } finally {
      lock.readLock().unlock();
    }
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
    OverlayFile.write(target, overlay(image, answer));
  }

  /**
   * Draws the image as the model saw it with dropped patches dimmed, and a score map next to it.
   *
   * @param image the image that was asked about
   * @param answer what came of it
   * @return an encoded PNG
   */
  public byte[] overlay(ImageInput image, Answer answer) {
    VisionShape vision = model.facts().vision();
    if (model.facts().visualTokens() != vision.patches()) {
      throw new OverlayException(
          "the image became %d visual tokens, which are not the %d patches of its grid, so they cannot be drawn on it; ask without an overlay"
              .formatted(model.facts().visualTokens(), vision.patches()));
    }
    RgbImage seen = family.seen(RgbImage.decode(image));
    Overlay overlay = new Overlay(vision.gridRows(), vision.gridColumns());
    return overlay.draw(seen, answer.trace());
  }

  /**
   * How a question is put to the model: the text that its chat template makes, {@code {question}}
   * standing for the question and the model's placeholder once for the image.
   */
  public String promptTemplate() {
    return family.template();
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

  /** Frees the model and its tokenizer after the calls under way; a second call does nothing. */
  @Override
  public void close() {
    lock.writeLock().lock();
    try (model;
        family) {
      closed = true;
    } finally {
      lock.writeLock().unlock();
    }
  }
}

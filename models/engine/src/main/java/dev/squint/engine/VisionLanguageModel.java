package dev.squint.engine;

import dev.squint.engine.internal.generate.Generator;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.FreedMemory;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.RuntimeLibrary;
import dev.squint.engine.internal.prune.ModelShapes;
import dev.squint.engine.internal.session.DeepStack;
import dev.squint.engine.internal.session.EmbeddedModel;
import dev.squint.engine.internal.session.Embedder;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.engine.internal.session.SideGraphs;
import dev.squint.engine.internal.vision.EncodedImages;
import dev.squint.engine.internal.vision.VisionEncoder;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.GenerationRequest;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.engine.request.PreparedImages;
import dev.squint.engine.request.PromptCache;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.config.ModelFiles;
import dev.squint.onnx.internal.config.AnswerCheck;
import dev.squint.onnx.internal.config.ConfigReader;
import dev.squint.onnx.internal.config.MissingParts;
import dev.squint.onnx.internal.config.TowerConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.DecoderPair;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.io.LoadedFiles;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.shape.ModelShape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A vision-language model loaded from a folder in hub layout ({@code config.json}, {@code
 * onnx/vision_encoder.onnx}, {@code onnx/embed_tokens.onnx}, {@code
 * onnx/decoder_model_merged.onnx}). Where a graph is there in several precisions ({@code _fp16},
 * {@code _q4} and so on after its name), the most exact is taken.
 *
 * <p>The decoder is split where the strategy of a call asks for it, on first use; the splits of the
 * last few strategies stay loaded ({@link ModelOptions#maxCachedSplits()}). A model may be used by
 * any number of threads at once: at most {@link ModelOptions#maxConcurrentRequests()} requests run
 * at a time, the others wait.
 */
public final class VisionLanguageModel implements AutoCloseable {

  private static final String EMBEDDED = "squint-tiny";

  private final Path folder;
  private final ModelConfig config;
  private final ModelShape facts;
  private final SessionFactory sessions;
  private final Generator generator;
  private final LoadedFiles files;
  private final ModelOptions options;

  private VisionLanguageModel(
      Path folder,
      ModelConfig config,
      ModelShape facts,
      SessionFactory sessions,
      Generator generator,
      LoadedFiles files,
      ModelOptions options) {
    this.folder = folder;
    this.config = config;
    this.facts = facts;
    this.sessions = sessions;
    this.generator = generator;
    this.files = files;
    this.options = options;
  }

  /**
   * Loads a model.
   *
   * @param folder a folder in hub layout
   * @param options how to load it
   * @return the model, which the caller closes
   * @throws ModelException if a file is missing or unreadable, the files do not fit each other, or
   *     the provider is not usable
   */
  public static VisionLanguageModel open(Path folder, ModelOptions options) {
    Objects.requireNonNull(options, "options");
    if (Files.isRegularFile(folder)) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "%s is a file; name the model's folder, which holds config.json and its graphs"
              .formatted(folder));
    }
    if (!Files.isDirectory(folder)) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "no such model folder: %s; name one in hub layout, with config.json and onnx/"
              .formatted(folder));
    }
    Path name = folder.toAbsolutePath().normalize().getFileName();
    return open(folder, options, name == null ? folder.toString() : name.toString());
  }

  /**
   * Loads the model that comes with this library, {@code squint-tiny}. On first use it is unpacked
   * into the cache folder.
   *
   * @param options how to load it
   * @return the model, which the caller closes
   * @throws ModelException if it cannot be unpacked or loaded
   */
  public static VisionLanguageModel openEmbedded(ModelOptions options) {
    Path folder = new EmbeddedModel(EMBEDDED).unpack(options.cacheFolder());
    return open(folder, options, EMBEDDED);
  }

  private static VisionLanguageModel open(Path folder, ModelOptions options, String name) {
    ModelJson root = ConfigReader.root(folder);
    ModelFiles found = ModelFiles.find(folder, options.precision());
    Path decoderFile = found.requireDecoder(folder);
    Path embedFile = found.requireEmbedding(folder);
    Path visionFile = found.requireVision(folder);
    DecoderPair pair = DecoderPair.read(decoderFile);
    List<Path> read = new ArrayList<>(List.of(embedFile, visionFile));
    pair.graphs().forEach(graph -> read.add(graph.file()));
    LoadedFiles graphFiles = new LoadedFiles(read);
    DecoderGraph decoder = pair.decoder();
    OnnxGraph embedGraph = OnnxGraph.read(embedFile);
    OnnxGraph visionGraph = OnnxGraph.read(visionFile);
    VisionGraph analysed = new VisionGraph(visionGraph);
    LoadedFiles files = graphFiles.and(embedGraph.dataFiles()).and(visionGraph.dataFiles());
    for (OnnxGraph graph : pair.graphs()) {
      files = files.and(graph.dataFiles());
    }
    ModelConfig written =
        ConfigReader.read(root, folder, Optional.of(decoder), Optional.of(analysed));
    AnswerCheck.inputs(decoder);
    VisionGraph tower = TowerConfig.applied(analysed, root, written, decoder);
    RuntimeLibrary.unpack(options.cacheFolder());
    OrtRuntime runtime = OrtRuntime.get(options.threads());
    Device device = Device.resolve(options.provider(), runtime);
    SessionFactory sessions =
        new SessionFactory(runtime, device, options.threads(), new AtomicInteger());
    VisionEncoder vision = new VisionEncoder(sessions, visionGraph, tower);
    ModelConfig config = vision.counted(written);
    AnswerCheck.features(
        root,
        tower.hasCls(),
        config.vision().grid() * config.vision().grid(),
        config.visualTokens());
    ModelShape facts = ModelShapes.of(name, config, decoder, tower);
    Embedder embedder = new Embedder(sessions, embedGraph, config.text().hidden());
    SideGraphs side = new SideGraphs(sessions, config.text().hidden());
    Generator generator =
        new Generator(
            new Generator.Parts(
                sessions,
                config,
                facts,
                decoder,
                vision,
                embedder,
                side,
                new DeepStack(
                    sessions,
                    decoder.deepStack(),
                    tower.deepStackLevels().size(),
                    config.text().hidden()),
                MissingParts.of(root, decoder, tower)),
            options);
    return new VisionLanguageModel(folder, config, facts, sessions, generator, files, options);
  }

  /** What a strategy may know about this model. */
  public ModelShape facts() {
    return facts;
  }

  /** Whether the vision encoder takes images of other sizes than its own. */
  public boolean takesAnySize() {
    return generator.vision().takesAnySize();
  }

  /** Names of what the vision encoder takes of an image, {@code pixel_values} among them. */
  public Set<String> visionInputs() {
    return generator.vision().inputs();
  }

  /** Axes of the pixel values that the vision encoder takes: see {@link PixelValues#shape()}. */
  public int visionRank() {
    return generator.vision().inputRank();
  }

  /**
   * A vector of the model that its exporter left in the file of the vision encoder, as an output or
   * a weight.
   *
   * @param names what it may be called, such as {@code image_newline}
   * @return its numbers; empty if there is none
   */
  public Optional<float[]> visionVector(List<String> names) {
    return generator.vision().vector(names);
  }

  /** What its JSON files say. */
  public ModelConfig config() {
    return config;
  }

  /** How it was loaded. */
  public ModelOptions options() {
    return options;
  }

  /** Where it was loaded from. */
  public Path folder() {
    return folder;
  }

  /** Where it runs: {@code cpu} or {@code cuda:ID}. */
  public String provider() {
    return sessions.device().name();
  }

  /** Version of ONNX Runtime. */
  public String runtimeVersion() {
    return sessions.runtime().version();
  }

  /**
   * Answers a request.
   *
   * @param request the prompt, and how it is to be answered; without an image in it a strategy has
   *     nothing to do, which a note in the trace says
   * @return the answer with its trace
   * @throws ModelException if the prompt does not fit the model, the strategy asks for what the
   *     model cannot give, the decoder cannot be split where the strategy wants to, prepared images
   *     are closed or not those of the prompt, or a file of the model has changed since it was
   *     loaded
   * @throws dev.squint.error.StrategyException if the strategy refuses the model
   */
  public Generation generate(GenerationRequest request) {
    Strategy strategy = request.strategy().orElseGet(() -> Strategies.parse("none"));
    List<EncodedImages> once = new ArrayList<>();
    List<EncodedImages.Lease> leases = new ArrayList<>();
    try {
      List<PixelValues> pixels = request.prompt().images();
      if (request.images().isPresent()) {
        request.images().get().forEach(images -> leases.add(ownImages(images).lease()));
        checkSame(pixels, leases);
      } else {
        pixels.forEach(one -> once.add(generator.prepare(one)));
        once.forEach(images -> leases.add(images.lease()));
      }
      return generated(request, strategy, leases);
    } finally {
      leases.forEach(EncodedImages.Lease::close);
      once.forEach(EncodedImages::close);
    }
  }

  /** Answers a prompt, with its images encoded for it. */
  public Generation generate(ModelInput prompt, Strategy strategy, GenerationOptions options) {
    return generate(GenerationRequest.builder(prompt).strategy(strategy).options(options).build());
  }

  /**
   * Takes images that several prompts are about, to be encoded once.
   *
   * @param pixels the images
   * @return them, for {@link GenerationRequest.Builder#images}; the caller closes them
   */
  public PreparedImages prepare(PixelValues pixels) {
    return generator.prepare(pixels);
  }

  /**
   * A cache for the requests of one conversation.
   *
   * @return it, empty; the caller closes it
   */
  public PromptCache newCache() {
    return generator.newCache();
  }

  /**
   * Answers a prompt about images that may have been encoded before. The vision time in the trace
   * is then what this request waited for them.
   */
  public Generation generate(
      ModelInput prompt, PreparedImages images, Strategy strategy, GenerationOptions options) {
    return generate(
        GenerationRequest.builder(prompt)
            .images(List.of(images))
            .strategy(strategy)
            .options(options)
            .build());
  }

  @SuppressWarnings("ReferenceEquality")
  private static void checkSame(List<PixelValues> pixels, List<EncodedImages.Lease> leases) {
    boolean same = pixels.size() == leases.size();
    for (int i = 0; same && i < pixels.size(); i++) {
      same = pixels.get(i) == leases.get(i).pixels();
    }
    if (!same) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the encoded images are not those of the prompt; encode the prompt's own");
    }
  }

  private static EncodedImages ownImages(PreparedImages images) {
    if (images instanceof EncodedImages own) {
      return own;
    }
    throw new ModelException(
        Kind.BAD_REQUEST, "the images were not prepared by a model; prepare them with this one");
  }

  /** An answer from the files that were loaded, or none. */
  private Generation generated(
      GenerationRequest request, Strategy strategy, List<EncodedImages.Lease> images) {
    files.requireUnchanged();
    Generation generation;
    try {
      generation = generator.generate(request, strategy, images);
    } catch (ModelException e) {
      throw files.explained(e);
    }
    files.requireUnchanged();
    return generation;
  }

  /**
   * How large the model is.
   *
   * @return bytes of all its files, weights among them
   */
  public long fileBytes() {
    return files.bytes();
  }

  /**
   * Opens what a question without pruning needs and closes it again, without preparing the weights
   * for use.
   *
   * @throws ModelException if ONNX Runtime refuses a graph
   */
  public void requireOpens() {
    files.requireUnchanged();
    generator.requireOpens();
  }

  /** Native tensors open now; none is between calls. */
  public int openTensors() {
    return sessions.aliveTensors().get();
  }

  /**
   * How many different splits of the decoder some strategies need. One that refuses this model
   * needs none.
   */
  public int splitsOf(Collection<Strategy> strategies) {
    return generator.splitsOf(strategies);
  }

  /** How many splits of the decoder stay loaded while nobody uses them. */
  public int maxCachedSplits() {
    return generator.maxCachedSplits();
  }

  /** How many splits of the decoder are loaded. */
  public int cachedSplits() {
    return generator.cachedSplits();
  }

  /**
   * Lets no request in any more, waits for those under way or {@linkplain ModelOptions#onClose()
   * cancels} them, and gives the memory back to the system. Requests that still wait for their turn
   * are refused. A second call waits too, and does nothing.
   *
   * @throws ModelException if it is called from within a request, as by a listener
   */
  @Override
  public void close() {
    generator.close();
    FreedMemory.giveBack();
  }
}

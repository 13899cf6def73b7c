package dev.squint.engine.internal.vision;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.RefCountedCache;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.engine.internal.session.TokenJoiner;
import dev.squint.engine.internal.tokens.TokenReduction;
import dev.squint.engine.request.FeaturePacking;
import dev.squint.engine.request.IntegerInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.io.Printable;
import dev.squint.onnx.internal.observe.TapNames;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.pruning.observe.Expression;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Runs the vision tower, with the taps of the moment and no others. */
public final class VisionEncoder implements AutoCloseable {

  private static final int SESSIONS_KEPT = 12;

  private static final int IMAGE_RANK = 4;

  /** An image that is tried takes 50 MB then. */
  private static final int MOST_SIDE = 2048;

  private final SessionFactory sessions;
  private final OnnxGraph read;
  private final VisionGraph graph;
  private final Path file;
  private final Path folder;
  private final RefCountedCache<Part, ModelSession> pool = new RefCountedCache<>(SESSIONS_KEPT);
  private final TokenJoiner joiner;
  private final boolean convolutional;
  private final FeaturePacker packer;
  private final RowPairs comparisons;

  public VisionEncoder(SessionFactory sessions, Path file) {
    this(sessions, OnnxGraph.read(file));
  }

  private VisionEncoder(SessionFactory sessions, OnnxGraph read) {
    this(sessions, read, new VisionGraph(read));
  }

  /**
   * An encoder.
   *
   * @param read its graph
   * @param graph the same, analysed
   */
  public VisionEncoder(SessionFactory sessions, OnnxGraph read, VisionGraph graph) {
    this.sessions = sessions;
    this.file = read.file();
    this.read = read;
    this.folder = read.folder();
    this.graph = graph;
    this.joiner = new TokenJoiner(sessions);
    this.convolutional = graph.isConvolutional();
    this.packer = new FeaturePacker(sessions);
    this.comparisons = new RowPairs(sessions);
  }

  /**
   * The config with the number of visual tokens that an image becomes. Where the graph of a tower
   * that takes whole images alone does not tell, it runs once on an empty image.
   */
  public ModelConfig counted(ModelConfig config) {
    int side = config.vision().imageSize();
    int grid = side / config.vision().patchSize();
    boolean wholeImages = graph.inputRank() == IMAGE_RANK && graph.inputs().size() == 1;
    if (!wholeImages || graph.sizes().tokens(grid * grid).isPresent()) {
      return config;
    }
    if (side > MOST_SIDE) {
      throw new ModelException(
          "%s takes images of %d pixels a side, and how many visual tokens that makes cannot be tried above %d; export it with a declared number of tokens"
              .formatted(file, side, MOST_SIDE));
    }
    long[] shape = {1, 3, side, side};
    checkShape(shape);
    try (TensorScope run = sessions.scope();
        ModelSession session = open(new Part(true, true, List.of()))) {
      OnnxTensor blank = run.floats(PixelValues.blank(shape).data(), shape);
      Map<String, OnnxTensor> out =
          session.run(run, Map.of(VisionGraph.PIXELS, blank), Set.of(VisionGraph.FEATURES));
      long numbers = out.get(VisionGraph.FEATURES).getInfo().getNumElements();
      long tokens = numbers / config.text().hidden();
      if (tokens == 0 || tokens * config.text().hidden() != numbers) {
        throw new ModelException(
            "%s makes features that are not rows of %d numbers, which the decoder takes; use the files of one model"
                .formatted(file, config.text().hidden()));
      }
      return config.withVisualTokens((int) tokens);
    }
  }

  /** Whether it is made of convolutions, and no transformer whose FLOPs follow from its sizes. */
  public boolean isConvolutional() {
    return convolutional;
  }

  /** Names of its inputs. */
  public Set<String> inputs() {
    return graph.inputs();
  }

  /** Axes of the pixel values. */
  public int inputRank() {
    return graph.inputRank();
  }

  /** Whether it takes whole images, and height and width are left open. */
  public boolean takesAnySize() {
    return graph.inputRank() == IMAGE_RANK
        && graph.inputDimension(2) <= 0
        && graph.inputDimension(3) <= 0;
  }

  /**
   * What the tower saw.
   *
   * @param output {@code [..., hidden]}, owned by the scope given to {@link VisionEncoder#encode}:
   *     features, or patches that have yet to be {@linkplain VisionEncoder#project projected}
   * @param projected whether it is features
   * @param observations what was asked for, over all patches, by canonical text
   * @param deepStack DeepStack features, {@code [tokens, hidden]} for each level that the decoder
   *     takes, owned as the output
   */
  public record Encoded(
      OnnxTensor output,
      boolean projected,
      Map<String, TowerValues> observations,
      List<OnnxTensor> deepStack) {}

  VisionGraph graph() {
    return graph;
  }

  /**
   * A vector of the model that lies in the file of the tower.
   *
   * @param names what it may be called
   */
  public Optional<float[]> vector(List<String> names) {
    return graph.vector(names).map(this::computed);
  }

  private float[] computed(byte[] model) {
    try (TensorScope run = sessions.scope();
        ModelSession session = sessions.open(model, folder, "a vector in " + file)) {
      return TensorScope.valuesOf(
          session.run(run, Map.of(), Set.of(VisionGraph.VECTOR)).get(VisionGraph.VECTOR));
    }
  }

  /**
   * Runs the tower.
   *
   * @param scope owner of the output
   * @param run owner of what is made on the way, closed here
   * @param pixels the images
   * @param taps what is observed
   * @param projected whether the projector runs too
   */
  public Encoded encode(
      TensorScope scope,
      TensorScope run,
      PixelValues pixels,
      List<Expression> taps,
      boolean projected) {
    checkShape(pixels.shape());
    boolean packed = pixels.packing().isPresent();
    if (packed && !projected) {
      throw new IllegalStateException("tiles are put together behind the projector");
    }
    String output = projected ? VisionGraph.FEATURES : graph.projectorInput();
    Set<String> wanted = new LinkedHashSet<>();
    wanted.add(output);
    wanted.addAll(graph.deepStackLevels());
    List<Expression> tapped = packed ? taps.stream().map(VisionEncoder::ofTiles).toList() : taps;
    tapped.forEach(tap -> wanted.add(TapNames.output(tap)));
    Part part = new Part(projected, true, tapped);
    try (run;
        var lease = pool.acquire(part, () -> open(part))) {
      Map<String, OnnxTensor> out = lease.get().run(run, inputs(run, lease.get(), pixels), wanted);
      Map<String, TowerValues> observations = new HashMap<>();
      for (Expression tap : taps) {
        OnnxTensor seen = out.get(TapNames.output(packed ? ofTiles(tap) : tap));
        observations.put(
            tap.canonical(),
            packed ? packed(run, tap, seen, pixels.packing().get()) : values(seen));
      }
      OnnxTensor made =
          pixels
              .packing()
              .map(packing -> packer.pack(run, out.get(output), packing))
              .orElseGet(() -> out.get(output));
      List<OnnxTensor> deepStack =
          graph.deepStackLevels().stream()
              .map(level -> scope.transferFrom(run, out.get(level)))
              .toList();
      return new Encoded(scope.transferFrom(run, made), projected, observations, deepStack);
    }
  }

  private static TowerValues values(OnnxTensor seen) {
    int[] sizes = Arrays.stream(seen.getInfo().getShape()).mapToInt(Math::toIntExact).toArray();
    return TowerValues.of(sizes, TensorScope.valuesOf(seen));
  }

  /** What is observed of tiles where these become visual tokens together. */
  private static Expression ofTiles(Expression tap) {
    return tap.pairsVisual() ? RowPairs.comparison(tap).rows() : tap;
  }

  /** The same of visual tokens; what a newline has of it is 0. */
  private TowerValues packed(
      TensorScope run, Expression tap, OnnxTensor seen, FeaturePacking packing) {
    if (!tap.pairsVisual()) {
      return values(seen).packed(tap, packing);
    }
    long[] shape = seen.getInfo().getShape();
    float[] none = new float[Math.toIntExact(shape[shape.length - 1])];
    FeaturePacking rows =
        new FeaturePacking(packing.tokens(), packing.sources(), packing.weights(), none);
    float[] pairs =
        comparisons.of(run, packer.pack(run, seen, rows), RowPairs.comparison(tap).cosine());
    return TowerValues.of(new int[] {1, packing.tokens(), packing.tokens()}, pairs);
  }

  private Map<String, OnnxTensor> inputs(
      TensorScope run, ModelSession session, PixelValues pixels) {
    Map<String, OnnxTensor> inputs = new HashMap<>();
    for (String name : session.inputs()) {
      IntegerInput other = pixels.others().get(name);
      if (name.equals(VisionGraph.PIXELS)) {
        inputs.put(name, run.floats(pixels.data().duplicate(), pixels.shape()));
      } else if (other != null) {
        inputs.put(name, run.numbers(other, session.inputType(name)));
      } else {
        throw new ModelException(
            "%s has an input '%s', which was not made of the image; export the vision encoder without it"
                .formatted(file, Printable.of(name)));
      }
    }
    return inputs;
  }

  /**
   * What several images of a prompt are together, in their order.
   *
   * @param scope owner of the joined output
   * @param images each as {@link #encode} gave it, for the same taps; at least one
   */
  public Encoded joined(TensorScope scope, List<Encoded> images) {
    Encoded first = images.get(0);
    if (images.size() == 1) {
      return first;
    }
    List<OnnxTensor> outputs = images.stream().map(Encoded::output).toList();
    Map<String, TowerValues> observations = new HashMap<>();
    for (String tap : first.observations().keySet()) {
      observations.put(
          tap,
          TowerValues.joined(images.stream().map(image -> image.observations().get(tap)).toList()));
    }
    List<OnnxTensor> deepStack = new ArrayList<>();
    for (int i = 0; i < first.deepStack().size(); i++) {
      int level = i;
      deepStack.add(
          joiner.join(scope, images.stream().map(image -> image.deepStack().get(level)).toList()));
    }
    return new Encoded(joiner.join(scope, outputs), first.projected(), observations, deepStack);
  }

  /**
   * Runs the projector on what goes on from a site before it.
   *
   * @param scope owner of the features
   * @param patches all patches, as {@link #encode} gave them
   * @param reduction what goes on
   * @return features {@code [1, kept, hidden]}
   */
  public OnnxTensor project(TensorScope scope, OnnxTensor patches, TokenReduction reduction) {
    Part part = new Part(true, false, List.of());
    try (TensorScope run = scope.newScope();
        var lease = pool.acquire(part, () -> open(part))) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      inputs.put(graph.patchesInput(), patches);
      inputs.put(
          SegmentModel.KEEP, run.indices(reduction.liveVisual(), reduction.liveVisual().length));
      reduction.merges().give(run, inputs);
      Map<String, OnnxTensor> out = lease.get().run(run, inputs, Set.of(VisionGraph.FEATURES));
      return scope.transferFrom(run, out.get(VisionGraph.FEATURES));
    }
  }

  /** Opens the tower with its projector, as a check. */
  public void requireOpens() {
    open(new Part(true, true, List.of()), sessions.checking()).close();
  }

  private record Part(boolean projector, boolean tower, List<Expression> taps) {}

  private ModelSession open(Part part) {
    return open(part, sessions);
  }

  private ModelSession open(Part part, SessionFactory sessions) {
    if (!part.tower()) {
      return sessions.open(graph.projector(), folder, "the projector of " + file);
    }
    if (!part.projector()) {
      return sessions.open(
          graph.tower(part.taps()), folder, "the tower of %s with %s".formatted(file, part.taps()));
    }
    return part.taps().isEmpty() && graph.isWhole()
        ? sessions.open(read)
        : sessions.open(graph.withTaps(part.taps()), folder, file + " with " + part.taps());
  }

  private void checkShape(long[] shape) {
    boolean fits = shape.length == graph.inputRank();
    for (int dimension = 1; fits && dimension < shape.length; dimension++) {
      long declared = graph.inputDimension(dimension);
      fits = declared <= 0 || declared == shape[dimension];
    }
    if (!fits) {
      throw new ModelException(
          "%s takes pixel values of shape %s, got %s; preprocess as preprocessor_config.json says"
              .formatted(file, declared(), Arrays.toString(shape)));
    }
  }

  private String declared() {
    return IntStream.range(0, graph.inputRank())
        .mapToObj(axis -> axis == 0 ? "images" : String.valueOf(graph.inputDimension(axis)))
        .collect(Collectors.joining(", ", "[", "]"));
  }

  @Override
  public void close() {
    try (joiner;
        packer;
        comparisons) {
      pool.close();
    }
  }
}

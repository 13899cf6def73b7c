package dev.squint.engine.internal.ort;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.graph.FoldingLimit;
import dev.squint.onnx.internal.graph.MatrixWeights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owner of ONNX Runtime's environment, a singleton of the process.
 *
 * <p>SessionFactory with thread pools of their own fight: the workers of one still spin while the
 * next one computes. Squint runs several sessions in turn, so it wants one pool for all. The pool
 * can only be asked for by whoever creates the environment:
 *
 * <ul>
 *   <li>We come first: the environment is made with a global pool.
 *   <li>DJL's OnnxRuntime engine is on the class path: it insists on creating the environment and
 *       breaks for good if it finds one, so it is started first, and its pool is used (its size is
 *       {@code ai.djl.onnxruntime.num_threads}).
 *   <li>The host was first: if the environment it made has a pool, that pool is used; if not, every
 *       session gets its own threads, told not to spin, and one warning names the cost.
 * </ul>
 *
 * <p>Their memory comes from one arena too, where {@link SharedArena} can register it; the host's
 * own sessions are left alone.
 */
public final class OrtRuntime {

  private static final Logger LOG = LoggerFactory.getLogger(OrtRuntime.class);
  private static final String EXTERNAL_FOLDER =
      "session.model_external_initializers_file_folder_path";

  private static final String FOLDING_LIMIT =
      "optimization.constant_folding_max_output_size_in_bytes";

  private static final String NO_PREPACKING = "session.disable_prepacking";

  private static final String DENORMALS_AS_ZERO = "session.set_denormal_as_zero";

  private static final String ENVIRONMENT_ALLOCATORS = "session.use_env_allocators";

  /**
   * Mirrors the singleton of ONNX Runtime itself, which cannot be made twice nor be configured
   * later.
   */
  private static OrtRuntime shared;

  private final OrtEnvironment environment;
  private final boolean pooled;
  private final boolean sharedArena;
  private final Optional<PackingApi> packing;
  private final Optional<NativeRuns> nativeRuns = NativeRuns.find();
  private final Optional<Denormals> denormals = Denormals.find();
  private final SessionOpener opener = new SessionOpener();
  private final AtomicBoolean fallbackSaid = new AtomicBoolean();
  private final PluginProviders plugins = new PluginProviders(this);

  private OrtRuntime(
      OrtEnvironment environment,
      boolean pooled,
      boolean sharedArena,
      Optional<PackingApi> packing) {
    this.environment = environment;
    this.pooled = pooled;
    this.sharedArena = sharedArena;
    this.packing = packing;
  }

  /**
   * The runtime of this process, made on first use.
   *
   * @param threads size of the pool if this call makes it, 0 for one thread per core
   * @return the runtime
   */
  public static synchronized OrtRuntime get(int threads) {
    if (shared == null) {
      OrtRuntime made = RuntimeLibrary.withoutTrace(() -> create(threads));
      Telemetry.turnOff(made.environment);
      shared =
          new OrtRuntime(
              made.environment, made.pooled, registerArena(), PackingApi.find(made.environment));
    }
    return shared;
  }

  private static OrtRuntime create(int threads) {
    Telemetry.turnOff();
    DjlOnnxEngine.startIfPresent();
    try (OrtEnvironment.ThreadingOptions options = new OrtEnvironment.ThreadingOptions()) {
      if (size(threads) > 0) {
        options.setGlobalIntraOpNumThreads(size(threads));
      }
      if (Denormals.mayBeZero()) {
        options.setGlobalDenormalAsZero();
      }
      return new OrtRuntime(
          OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "squint", options),
          true,
          false,
          Optional.empty());
    } catch (IllegalStateException e) {
      return adopt(OrtEnvironment.getEnvironment(), size(threads));
    } catch (OrtException e) {
      throw OrtFailure.of(
          Kind.INTERNAL, "ONNX Runtime could not be started", "start the process again", e);
    } catch (UnsatisfiedLinkError | ExceptionInInitializerError | NoClassDefFoundError e) {
      throw new ModelException(
          Kind.INTERNAL,
          "ONNX Runtime's native library could not be loaded; check that the temporary folder has"
              + " room and allows execution, or set onnxruntime.native.path",
          e);
    }
  }

  /**
   * ONNX Runtime counts the cores of the machine: where the process may use one of them only, as in
   * a small container, its other threads would spin against the one that computes.
   */
  private static int size(int threads) {
    return threads == 0 && Runtime.getRuntime().availableProcessors() == 1 ? 1 : threads;
  }

  private static OrtRuntime adopt(OrtEnvironment environment, int threads) {
    OrtRuntime candidate = new OrtRuntime(environment, true, false, Optional.empty());
    try (SessionOptions options = candidate.options(0);
        OrtSession probe = environment.createSession(ProbeGraph.bytes(), options)) {
      LOG.debug("using the global thread pool of an environment made elsewhere: {}", probe);
      if (threads > 0 && !DjlOnnxEngine.hasPoolOf(threads)) {
        LOG.warn(
            "ONNX Runtime's thread pool was made by the host or by DJL with a size of its own, so"
                + " threads={} has no effect; with DJL on the class path, set the system property"
                + " {}={}",
            threads,
            DjlOnnxEngine.POOL_SIZE,
            threads);
      }
      return candidate;
    } catch (OrtException e) {
      LOG.warn(
          "ONNX Runtime was started by the host without a global thread pool: each session gets its"
              + " own threads, which can cost 20-30 % of prefill when a decoder is split; start"
              + " Squint first to avoid it");
      return new OrtRuntime(environment, false, false, Optional.empty());
    }
  }

  /** Without JNA, or elsewhere than on Linux, every session keeps an arena of its own. */
  private static boolean registerArena() {
    if (!System.getProperty("os.name").equals("Linux")) {
      return false;
    }
    try {
      SharedArena.register();
      return true;
    } catch (UnsupportedOperationException | LinkageError e) {
      LOG.debug("every session keeps an arena of its own: {}", e.toString());
      return false;
    }
  }

  /** Version of ONNX Runtime. */
  public String version() {
    return environment.getVersion();
  }

  /** The environment, for creating tensors. */
  public OrtEnvironment environment() {
    return environment;
  }

  Optional<NativeRuns> nativeRuns() {
    return nativeRuns;
  }

  Optional<Denormals> denormals() {
    return denormals;
  }

  PluginProviders plugins() {
    return plugins;
  }

  /** Whether all sessions share one thread pool. */
  public boolean pooled() {
    return pooled;
  }

  /** Whether all sessions take their memory from one arena. */
  public boolean sharedArena() {
    return sharedArena;
  }

  /** Says, once per process, that {@code auto} settled for the processor. */
  void sayFallback(String reason) {
    if (fallbackSaid.compareAndSet(false, true)) {
      LOG.info("provider 'auto' falls back to cpu: {}", reason);
    }
  }

  private SessionOptions options(int threads) throws OrtException {
    SessionOptions options = new SessionOptions();
    try {
      // Errors come as exceptions; what the log says of them goes to the standard error of the
      // host.
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      if (sharedArena) {
        options.addConfigEntry(ENVIRONMENT_ALLOCATORS, "1");
      }
      if (pooled) {
        options.disablePerSessionThreads();
      } else {
        options.addConfigEntry("session.intra_op.allow_spinning", "0");
        if (Denormals.mayBeZero()) {
          options.addConfigEntry(DENORMALS_AS_ZERO, "1");
        }
        if (size(threads) > 0) {
          options.setIntraOpNumThreads(size(threads));
        }
      }
      return options;
    } catch (OrtException | RuntimeException e) {
      options.close();
      throw e;
    }
  }

  /** Opens a session to run. */
  public ModelSession open(
      byte[] model, Path folder, Device device, int threads, String name, ArenaPolicy buffers) {
    return open(
        model, folder, device, threads, name, buffers, Weights.PREPARED, new SharedWeights());
  }

  /** What is done with weights when a session is opened. */
  public enum Weights {
    /** They are laid out anew where that makes it faster. */
    PREPARED,
    /** They stay in their files, unread where the system maps these. */
    AS_THEY_LIE
  }

  /** The same of bytes, which ONNX Runtime says something of where they are no model. */
  public ModelSession open(
      byte[] model,
      Path folder,
      Device device,
      int threads,
      String name,
      ArenaPolicy buffers,
      Weights weights,
      SharedWeights matrices) {
    return open(parsed(model), model, folder, device, threads, name, buffers, weights, matrices);
  }

  /**
   * Opens a session over a model.
   *
   * @param model an ONNX model
   * @param folder where its external data lies
   * @param device where it runs
   * @param threads threads of the session if there is no common pool, 0 for one per core
   * @param name what the model is, for messages
   * @param buffers where it keeps what it computes, if there is no arena for all
   * @param weights what is done with its weights
   * @param matrices those of its model that its sessions share
   * @return the session, which the caller closes
   * @throws ModelException if ONNX Runtime refuses the model
   */
  public ModelSession open(
      ModelProto model,
      Path folder,
      Device device,
      int threads,
      String name,
      ArenaPolicy buffers,
      Weights weights,
      SharedWeights matrices) {
    return open(
        model, model.toByteArray(), folder, device, threads, name, buffers, weights, matrices);
  }

  private ModelSession open(
      ModelProto parsed,
      byte[] model,
      Path folder,
      Device device,
      int threads,
      String name,
      ArenaPolicy buffers,
      Weights weights,
      SharedWeights matrices) {
    Exception refusal = null;
    try {
      if (weights == Weights.PREPARED && canShare(device, matrices)) {
        List<MatrixWeights.Weight> shared = MatrixWeights.of(parsed, folder);
        if (!shared.isEmpty()) {
          try (SessionOptions options =
              options(parsed, folder, device, threads, buffers, weights)) {
            return open(packing.get(), model, options, name, shared, matrices);
          } catch (OrtException | IOException | UnsupportedOperationException e) {
            refusal = e;
          }
        }
      }
      try (SessionOptions options = options(parsed, folder, device, threads, buffers, weights)) {
        ModelSession own =
            named(opener.open(() -> environment.createSession(model, options)), name, () -> {});
        if (refusal != null) {
          matrices.refuse(refusal);
        }
        return own;
      }
    } catch (OrtException e) {
      throw refused(name, e);
    }
  }

  /** Whether sessions on a device can share the matrices of a model. */
  public boolean canShare(Device device, SharedWeights matrices) {
    return packing.isPresent() && device.isCpu() && matrices.works();
  }

  private ModelSession open(
      PackingApi api,
      byte[] model,
      SessionOptions options,
      String name,
      List<MatrixWeights.Weight> shared,
      SharedWeights matrices)
      throws OrtException, IOException {
    SharedWeights.Opened opened =
        matrices.open(
            api,
            environment,
            options,
            shared,
            (container, meanwhile) ->
                opener.open(() -> api.open(model, options, container), meanwhile));
    return named(opened.session(), name, opened.afterClose());
  }

  private SessionOptions options(
      ModelProto model,
      Path folder,
      Device device,
      int threads,
      ArenaPolicy buffers,
      Weights weights)
      throws OrtException {
    SessionOptions options = options(threads);
    try {
      device.configure(options);
      if (!sharedArena) {
        buffers.configure(options);
      }
      if (weights == Weights.AS_THEY_LIE) {
        options.addConfigEntry(NO_PREPACKING, "1");
      }
      options.addConfigEntry(FOLDING_LIMIT, Long.toString(FoldingLimit.of(model)));
      options.addConfigEntry(EXTERNAL_FOLDER, folder.toAbsolutePath().toString());
      return options;
    } catch (OrtException | RuntimeException e) {
      options.close();
      throw e;
    }
  }

  private static ModelSession named(OrtSession session, String name, Runnable afterClose)
      throws OrtException {
    try {
      return new ModelSession(session, name, afterClose);
    } catch (OrtException | RuntimeException e) {
      session.close();
      afterClose.run();
      throw e;
    }
  }

  private static ModelProto parsed(byte[] model) {
    try {
      return ModelProto.parseFrom(model);
    } catch (InvalidProtocolBufferException e) {
      // What ONNX Runtime says of it is told.
      return ModelProto.getDefaultInstance();
    }
  }

  private static ModelException refused(String name, OrtException e) {
    return OrtFailure.of(
        Kind.BAD_MODEL,
        "ONNX Runtime refuses " + name,
        "the file is damaged, export or download it again",
        e);
  }
}

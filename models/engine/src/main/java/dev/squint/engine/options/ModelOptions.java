package dev.squint.engine.options;

import com.sun.management.OperatingSystemMXBean;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * How a model is loaded. Immutable; made by a builder, so that further options break nobody:
 *
 * <pre>{@code
 * ModelOptions options = ModelOptions.builder().threads(4).precision("q4").build();
 * }</pre>
 */
public final class ModelOptions {

  /** What to do about a cache that cannot be used, for the end of a sentence. */
  public static final String OTHER_CACHE =
      "choose another cache folder with --cache FOLDER or the system property squint.cache";

  private final ExecutionProvider provider;
  private final int threads;
  private final Path cacheFolder;
  private final int maxCachedSplits;
  private final String precision;
  private final int maxConcurrentRequests;
  private final int maxWaitingRequests;
  private final long memoryBudget;
  private final WhenFull whenFull;
  private final OnClose onClose;
  private final Optional<Path> chatTemplate;

  private ModelOptions(Builder builder) {
    provider = builder.provider;
    threads = builder.threads;
    cacheFolder = builder.cacheFolder;
    maxCachedSplits = builder.maxCachedSplits;
    precision = builder.precision;
    maxConcurrentRequests = builder.maxConcurrentRequests;
    maxWaitingRequests = builder.maxWaitingRequests;
    memoryBudget = builder.memoryBudget;
    whenFull = builder.whenFull;
    onClose = builder.onClose;
    chatTemplate = builder.chatTemplate;
  }

  /** What {@link #builder()} starts from. */
  public static ModelOptions defaults() {
    return builder().build();
  }

  /**
   * Starts from the defaults: on the processor with all cores, as many splits cached as are cheap,
   * the most exact graphs. The cache folder is the system property {@code squint.cache} if it is
   * set, else {@code $XDG_CACHE_HOME/squint}, {@code %LOCALAPPDATA%\squint} or {@code
   * ~/.cache/squint}.
   */
  public static Builder builder() {
    return new Builder(
        defaultCache(
            System.getProperty("squint.cache"), System.getenv(), System.getProperty("user.home")));
  }

  /** Starts from these options. */
  public Builder toBuilder() {
    Builder builder = new Builder(cacheFolder);
    builder.chatTemplate = chatTemplate;
    return builder
        .provider(provider)
        .threads(threads)
        .maxCachedSplits(maxCachedSplits)
        .precision(precision)
        .maxConcurrentRequests(maxConcurrentRequests)
        .maxWaitingRequests(maxWaitingRequests)
        .memoryBudget(memoryBudget)
        .whenFull(whenFull)
        .onClose(onClose);
  }

  /** Where the model runs. */
  public ExecutionProvider provider() {
    return provider;
  }

  /** Size of the thread pool, 0 for one thread per core. */
  public int threads() {
    return threads;
  }

  /** Where the embedded model and native libraries are unpacked. */
  public Path cacheFolder() {
    return cacheFolder;
  }

  /** How many splits of the decoder stay loaded while nobody uses them; 0 for what is cheap. */
  public int maxCachedSplits() {
    return maxCachedSplits;
  }

  /** Which graphs of a folder in hub layout are loaded; empty for the most exact. */
  public String precision() {
    return precision;
  }

  /** How many requests run at a time; the others wait. */
  public int maxConcurrentRequests() {
    return maxConcurrentRequests;
  }

  /** How many requests may wait. */
  public int maxWaitingRequests() {
    return maxWaitingRequests;
  }

  /** Bytes that the KV caches and features of all requests and conversations may take together. */
  public long memoryBudget() {
    return memoryBudget;
  }

  /** What becomes of a request for which there is no room. */
  public WhenFull whenFull() {
    return whenFull;
  }

  /** What closing the model does to requests under way. */
  public OnClose onClose() {
    return onClose;
  }

  /** A file with a chat template, in the place of the model's own. */
  public Optional<Path> chatTemplate() {
    return chatTemplate;
  }

  private List<Object> parts() {
    return List.of(
        provider,
        threads,
        cacheFolder,
        maxCachedSplits,
        precision,
        maxConcurrentRequests,
        maxWaitingRequests,
        memoryBudget,
        whenFull,
        onClose,
        chatTemplate);
  }

  static Path defaultCache(String property, Map<String, String> environment, String home) {
    if (property != null && !property.isBlank()) {
      return Path.of(property);
    }
    for (String variable : new String[] {"XDG_CACHE_HOME", "LOCALAPPDATA"}) {
      String value = environment.get(variable);
      if (value != null && !value.isBlank()) {
        return Path.of(value, "squint");
      }
    }
    return Path.of(home, ".cache", "squint");
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ModelOptions that && parts().equals(that.parts());
  }

  @Override
  public int hashCode() {
    return parts().hashCode();
  }

  @Override
  public String toString() {
    return ("ModelOptions[provider=%s, threads=%d, cacheFolder=%s, maxCachedSplits=%d, precision=%s,"
            + " maxConcurrentRequests=%d, maxWaitingRequests=%d, memoryBudget=%d, whenFull=%s, onClose=%s,"
            + " chatTemplate=%s]")
        .formatted(parts().toArray());
  }

  /** Collects the options. */
  public static final class Builder {

    private ExecutionProvider provider = new ExecutionProvider.Cpu();
    private int threads;
    private Path cacheFolder;
    private int maxCachedSplits;
    private String precision = "";
    private int maxConcurrentRequests = Math.max(2, Runtime.getRuntime().availableProcessors());
    private int maxWaitingRequests = 1024;
    private long memoryBudget = halfOfMemory();
    private WhenFull whenFull = WhenFull.WAIT;
    private OnClose onClose = OnClose.WAIT;
    private Optional<Path> chatTemplate = Optional.empty();

    private Builder(Path cacheFolder) {
      this.cacheFolder = cacheFolder;
    }

    /** Sets where the model runs. */
    public Builder provider(ExecutionProvider where) {
      provider = Objects.requireNonNull(where, "provider");
      return this;
    }

    /**
     * Sets the size of the thread pool; the first model loaded in a process decides. Where the host
     * or DJL's OnnxRuntime engine makes the pool, they do (DJL by the system property {@code
     * ai.djl.onnxruntime.num_threads}), and a warning says that this size has no effect.
     *
     * @param size 0 for one thread per core
     */
    public Builder threads(int size) {
      threads = size;
      return this;
    }

    /** Sets where the embedded model and native libraries are unpacked. */
    public Builder cacheFolder(Path folder) {
      cacheFolder = Objects.requireNonNull(folder, "cacheFolder");
      return this;
    }

    /**
     * Sets how many splits of the decoder stay loaded while nobody uses them.
     *
     * <p>On the processor under Linux, splits share the decoder's matrices where these are float32
     * or whole numbers, and a further split takes some ten megabytes. Elsewhere, on a GPU and for
     * matrices of float16, each holds the weights of its layers once more, but for the segments
     * that it has in common with another.
     *
     * @param splits 1 or more, or 0: 64 where they share the decoder's matrices, else 4
     */
    public Builder maxCachedSplits(int splits) {
      maxCachedSplits = splits;
      return this;
    }

    /**
     * Sets which graphs of a folder in hub layout are loaded.
     *
     * @param suffix such as {@code q4} or {@code fp16}; empty for the most exact. A graph that is
     *     not there in it is loaded in the most exact
     */
    public Builder precision(String suffix) {
      precision = Objects.requireNonNull(suffix, "precision");
      return this;
    }

    /**
     * Sets how many requests run at a time. More than there are cores make all of them slower.
     *
     * @param requests 1 or more; one per core, at least 2, unless set
     */
    public Builder maxConcurrentRequests(int requests) {
      maxConcurrentRequests = requests;
      return this;
    }

    /**
     * Sets how many requests may wait; more are refused.
     *
     * @param requests 0 or more; 1,024 unless set
     */
    public Builder maxWaitingRequests(int requests) {
      maxWaitingRequests = requests;
      return this;
    }

    /**
     * Sets what the KV caches and features of all requests and conversations may take together,
     * counted before a request runs.
     *
     * @param bytes 1 or more; half of the machine's memory unless set
     */
    public Builder memoryBudget(long bytes) {
      memoryBudget = bytes;
      return this;
    }

    /** Sets what becomes of a request for which there is no room; it waits unless set. */
    public Builder whenFull(WhenFull what) {
      whenFull = Objects.requireNonNull(what, "whenFull");
      return this;
    }

    /** Sets what closing the model does to requests under way; it waits for them unless set. */
    public Builder onClose(OnClose what) {
      onClose = Objects.requireNonNull(what, "onClose");
      return this;
    }

    /**
     * Sets a chat template in the place of the model's own, which is then not looked for.
     *
     * @param file Jinja, as {@code chat_template.jinja} would hold it
     */
    public Builder chatTemplate(Path file) {
      chatTemplate = Optional.of(file);
      return this;
    }

    private static long halfOfMemory() {
      return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
          ? system.getTotalMemorySize() / 2
          : Long.MAX_VALUE;
    }

    private static void require(String name, long value, long least) {
      if (value < least) {
        throw new ModelException(
            Kind.BAD_REQUEST, "%s must be %d or more, got %d".formatted(name, least, value));
      }
    }

    /**
     * Makes the options.
     *
     * @throws ModelException if a number is too small
     */
    public ModelOptions build() {
      if (threads < 0) {
        throw new ModelException(
            Kind.BAD_REQUEST, "threads must be 0 (one per core) or more, got " + threads);
      }
      require("maxCachedSplits", maxCachedSplits, 0);
      require("maxConcurrentRequests", maxConcurrentRequests, 1);
      require("maxWaitingRequests", maxWaitingRequests, 0);
      require("memoryBudget", memoryBudget, 1);
      return new ModelOptions(this);
    }
  }
}

package dev.squint.engine.options;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

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

  private ModelOptions(Builder builder) {
    provider = builder.provider;
    threads = builder.threads;
    cacheFolder = builder.cacheFolder;
    maxCachedSplits = builder.maxCachedSplits;
    precision = builder.precision;
  }

  /** What {@link #builder()} starts from. */
  public static ModelOptions defaults() {
    return builder().build();
  }

  /**
   * Starts from the defaults: on the processor with all cores, four splits cached, the most exact
   * graphs. The cache folder is the system property {@code squint.cache} if it is set, else {@code
   * $XDG_CACHE_HOME/squint}, {@code %LOCALAPPDATA%\squint} or {@code ~/.cache/squint}.
   */
  public static Builder builder() {
    return new Builder(
        defaultCache(
            System.getProperty("squint.cache"), System.getenv(), System.getProperty("user.home")));
  }

  /** Starts from these options. */
  public Builder toBuilder() {
    return new Builder(cacheFolder)
        .provider(provider)
        .threads(threads)
        .maxCachedSplits(maxCachedSplits)
        .precision(precision);
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

  /** How many splits of the decoder stay loaded while nobody uses them. */
  public int maxCachedSplits() {
    return maxCachedSplits;
  }

  /** Which graphs of a folder in hub layout are loaded; empty for the most exact. */
  public String precision() {
    return precision;
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
    return other instanceof ModelOptions that
        && provider.equals(that.provider)
        && threads == that.threads
        && cacheFolder.equals(that.cacheFolder)
        && maxCachedSplits == that.maxCachedSplits
        && precision.equals(that.precision);
  }

  @Override
  public int hashCode() {
    return Objects.hash(provider, threads, cacheFolder, maxCachedSplits, precision);
  }

  @Override
  public String toString() {
    return "ModelOptions[provider=%s, threads=%d, cacheFolder=%s, maxCachedSplits=%d, precision=%s]"
        .formatted(provider, threads, cacheFolder, maxCachedSplits, precision);
  }

  /** Collects the options. */
  public static final class Builder {

    private ExecutionProvider provider = new ExecutionProvider.Cpu();
    private int threads;
    private Path cacheFolder;
    private int maxCachedSplits = 4;
    private String precision = "";

    private Builder(Path cacheFolder) {
      this.cacheFolder = cacheFolder;
    }

    /** Sets where the model runs. */
    public Builder provider(ExecutionProvider where) {
      provider = Objects.requireNonNull(where, "provider");
      return this;
    }

    /**
     * Sets the size of the thread pool; the first model loaded in a process decides.
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
     * @param splits 1 or more; each holds the decoder's weights once
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
     * Makes the options.
     *
     * @throws ModelException if a number is too small
     */
    public ModelOptions build() {
      if (threads < 0) {
        throw new ModelException(
            Kind.BAD_REQUEST, "threads must be 0 (one per core) or more, got " + threads);
      }
      if (maxCachedSplits < 1) {
        throw new ModelException(
            Kind.BAD_REQUEST, "maxCachedSplits must be 1 or more, got " + maxCachedSplits);
      }
      return new ModelOptions(this);
    }
  }
}

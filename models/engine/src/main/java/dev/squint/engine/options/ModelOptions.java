package dev.squint.engine.options;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/**
 * How a model is loaded.
 *
 * @param provider where it runs
 * @param threads size of the thread pool, 0 for one thread per core; the first model loaded in a
 *     process decides
 * @param cacheFolder where the embedded model and native libraries are unpacked
 * @param maxCachedSplits how many cuts of the decoder stay loaded while nobody uses them; each
 *     holds the decoder's weights once
 * @param precision which graphs of a folder in hub layout are loaded, such as {@code q4} or {@code
 *     fp16}; empty for the most exact. A graph that is not there in it is loaded in the most exact
 */
public record ModelOptions(
    ExecutionProvider provider,
    int threads,
    Path cacheFolder,
    int maxCachedSplits,
    String precision) {

  /** What to do about a cache that cannot be used, for the end of a sentence. */
  public static final String OTHER_CACHE =
      "choose another cache folder with --cache FOLDER or the system property squint.cache";

  private static final int FEW_CUTS = 4;

  /** Checks the values. */
  public ModelOptions {
    Objects.requireNonNull(provider, "provider");
    Objects.requireNonNull(cacheFolder, "cacheFolder");
    Objects.requireNonNull(precision, "precision");
    if (threads < 0) {
      throw new ModelException(
          Kind.BAD_REQUEST, "threads must be 0 (one per core) or more, got " + threads);
    }
    if (maxCachedSplits < 1) {
      throw new ModelException(
          Kind.BAD_REQUEST, "maxCachedSplits must be 1 or more, got " + maxCachedSplits);
    }
  }

  /** Options that load the most exact graphs. */
  public ModelOptions(
      ExecutionProvider provider, int threads, Path cacheFolder, int maxCachedSplits) {
    this(provider, threads, cacheFolder, maxCachedSplits, "");
  }

  /** Options that keep four cuts. */
  public ModelOptions(ExecutionProvider provider, int threads, Path cacheFolder) {
    this(provider, threads, cacheFolder, FEW_CUTS);
  }

  /**
   * On the processor, with all cores. The cache folder is the system property {@code squint.cache}
   * if it is set, else {@code $XDG_CACHE_HOME/squint}, {@code %LOCALAPPDATA%\squint} or {@code
   * ~/.cache/squint}.
   */
  public static ModelOptions defaults() {
    return new ModelOptions(
        new ExecutionProvider.Cpu(),
        0,
        defaultCache(
            System.getProperty("squint.cache"), System.getenv(), System.getProperty("user.home")));
  }

  /** The same options with another provider. */
  public ModelOptions withProvider(ExecutionProvider other) {
    return new ModelOptions(other, threads, cacheFolder, maxCachedSplits, precision);
  }

  /** The same options with another number of cuts that stay loaded. */
  public ModelOptions withCutsKept(int cuts) {
    return new ModelOptions(provider, threads, cacheFolder, cuts, precision);
  }

  /** The same options with another precision. */
  public ModelOptions withPrecision(String other) {
    return new ModelOptions(provider, threads, cacheFolder, maxCachedSplits, other);
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
}

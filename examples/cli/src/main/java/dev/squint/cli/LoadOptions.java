package dev.squint.cli;

import dev.squint.Squint;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.engine.options.ModelOptions;
import dev.squint.error.ModelException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model is loaded, and where it runs. */
final class LoadOptions {

  /** Above this, or one per core, a pool is a slip of the keyboard that stops the machine. */
  private static final int MOST_THREADS = 64;

  private static final long SMALL_BYTES = 256L << 20;
  private static final String CPU = "cpu";

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Model folder in hub layout (default: the embedded model).")
  private Path model;

  @Option(
      names = "--provider",
      paramLabel = "NAME",
      defaultValue = CPU,
      description =
          "cpu, cuda[:id] or auto; with --ep-library one that it brings (default: ${DEFAULT-VALUE}).")
  private String provider;

  @Option(
      names = "--ep-library",
      paramLabel = "FILE",
      description = "Library of a plugin execution provider of ONNX Runtime, on which to run.")
  private Path providerLibrary;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads, 0 for all cores (default: ${DEFAULT-VALUE}).")
  private int threads;

  @Option(
      names = "--precision",
      paramLabel = "SUFFIX",
      defaultValue = "",
      description = "Which graphs of a hub-layout folder, such as q4 (default: the most exact).")
  private String precision;

  @Option(
      names = "--template-file",
      paramLabel = "FILE",
      description = "A chat template (Jinja) in the place of the model's own.")
  private Path template;

  @Mixin private CacheOption cache;

  /** Checks all but the model. */
  ModelOptions checked() {
    int most = Math.max(MOST_THREADS, Runtime.getRuntime().availableProcessors());
    if (threads > most) {
      throw new ModelException(
          "--threads %d is more than Squint starts; choose 0 (one per core) to %d"
              .formatted(threads, most));
    }
    ModelOptions.Builder options =
        ModelOptions.builder()
            .provider(executionProvider())
            .threads(threads)
            .cacheFolder(cache.folder())
            .precision(precision);
    Optional.ofNullable(template).ifPresent(options::chatTemplate);
    return options.build();
  }

  private ExecutionProvider executionProvider() {
    if (providerLibrary == null) {
      return ExecutionProvider.parse(provider);
    }
    String name = provider.equals(CPU) ? "" : provider;
    return new ExecutionProvider.Plugin(providerLibrary, name, Map.of());
  }

  /** Whether no model is named, so that the embedded one is asked. */
  boolean isEmbedded() {
    return model == null;
  }

  /** Whether many splits of the decoder fit into memory at once. */
  boolean isSmall() {
    if (model == null) {
      return true;
    }
    try (Stream<Path> files = Files.walk(model)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum()
          < SMALL_BYTES;
    } catch (IOException | UncheckedIOException e) {
      // Opening the model says what is wrong with the folder.
      return false;
    }
  }

  /**
   * What a command reads, and must not write to: an input and the model's folder, if one is named.
   */
  Path[] sources(Path input) {
    return model == null ? new Path[] {input} : new Path[] {input, model};
  }

  Squint load(ModelOptions options) {
    return model == null ? Squint.load(options) : Squint.load(model, options);
  }
}

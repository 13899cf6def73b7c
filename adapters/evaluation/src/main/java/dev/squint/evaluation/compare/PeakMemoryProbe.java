package dev.squint.evaluation.compare;

import dev.squint.DataException;
import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.internal.RunConfig;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Lets a process that does nothing else answer a question with one setting, and tells the most
 * memory that it held. What this process holds for its many settings and answers stays out of it.
 *
 * @param squint the model that the process loads anew
 * @param options how this one has loaded it
 * @param maxNewTokens longest answer
 */
record PeakMemoryProbe(Squint squint, ModelOptions options, int maxNewTokens) {

  /** What must not be handed on: a second process cannot write the same archive or be debugged. */
  private static final List<String> OWN =
      List.of("-XX:ArchiveClassesAtExit", "-agentlib:", "-agentpath:", "-javaagent:");

  /**
   * Asks.
   *
   * @param config the setting
   * @param sample the question
   * @return the most resident memory, in bytes
   * @throws DataException if the process failed, with what it said
   */
  long peakBytes(RunConfig config, Sample sample) {
    try {
      Optional<byte[]> inside = inside(sample.medium());
      if (inside.isEmpty()) {
        return run(command(config, sample, sample.medium().name()));
      }
      Path written = Files.createTempFile("squint", ".image");
      try {
        Files.write(written, inside.get());
        return run(command(config, sample, written.toString()));
      } finally {
        Files.delete(written);
      }
    } catch (IOException e) {
      throw new DataException("no process of its own can be started: " + e.getMessage(), e);
    }
  }

  /** An image that lies within a data file or an archive, where no other process finds it. */
  private static Optional<byte[]> inside(MediaSource medium) throws IOException {
    if (medium instanceof MediaSource.InlineImage inline) {
      return Optional.of(inline.encoded());
    }
    if (medium instanceof MediaSource.ImageFile image
        && image.file().getFileSystem() != FileSystems.getDefault()) {
      return Optional.of(Files.readAllBytes(image.file()));
    }
    return Optional.empty();
  }

  private List<String> command(RunConfig config, Sample sample, String image) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> OWN.stream().noneMatch(argument::startsWith))
        .forEach(command::add);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(PeakMemoryMain.class.getName());
    command.add(squint.folder().toString());
    command.add(options.cacheFolder().toString());
    command.add(squint.provider());
    command.add(Integer.toString(options.threads()));
    command.add(Integer.toString(maxNewTokens));
    command.add(config.strategy().spec());
    command.add(Integer.toString(config.grid().map(RunConfig.Grid::rows).orElse(0)));
    command.add(Integer.toString(config.grid().map(RunConfig.Grid::columns).orElse(0)));
    command.add(image);
    command.add(sample.question());
    command.add(options.precision());
    return command;
  }

  private static long run(List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      process.getOutputStream().close();
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      String last = said.substring(said.lastIndexOf('\n') + 1);
      int code = process.waitFor();
      if (code != 0 || !last.matches("\\d+")) {
        throw new DataException(
            "the process that was to measure it ended with code %d: %s"
                .formatted(code, said.lines().findFirst().orElse("it said nothing")));
      }
      return Long.parseLong(last);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while memory was measured", e);
    } finally {
      process.destroyForcibly();
    }
  }
}

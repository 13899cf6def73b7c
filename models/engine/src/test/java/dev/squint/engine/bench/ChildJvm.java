package dev.squint.engine.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Runs {@link BenchMain} in a process of its own, without DJL on the class path, so that nothing
 * but the model counts.
 */
final class ChildJvm {

  private ChildJvm() {}

  /** Runs one task and reads what it found. */
  static JsonNode run(String heap, String... arguments) throws IOException {
    return run(List.of("-Xmx" + heap), arguments);
  }

  /** The same with all of the heap in memory from the start, so that it does not grow. */
  static JsonNode runWithHeap(String heap, String... arguments) throws IOException {
    return run(List.of("-Xmx" + heap, "-Xms" + heap, "-XX:+AlwaysPreTouch"), arguments);
  }

  private static JsonNode run(List<String> options, String... arguments) throws IOException {
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.contains("djl"))
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp",
                classPath,
                BenchMain.class.getName()));
    command.addAll(1, options);
    // The compiler and the collector of this one: cheap ones in a build, a host's in a benchmark.
    command.addAll(
        1,
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(argument -> argument.startsWith("-XX:"))
            .toList());
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      int status = process.waitFor();
      if (status != 0) {
        throw new IllegalStateException(
            "the task %s ended with status %d: %s".formatted(List.of(arguments), status, output));
      }
      return new ObjectMapper().readTree(output.substring(output.lastIndexOf('\n') + 1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } finally {
      process.destroy();
    }
  }
}

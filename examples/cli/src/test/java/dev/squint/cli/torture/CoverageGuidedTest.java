package dev.squint.cli.torture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The parts that read bytes in Java alone, under Jazzer; {@code -Dsquint.torture.seconds} says how
 * long each.
 */
@Tag("torture")
class CoverageGuidedTest {

  private static CoverageGuided fuzzer() {
    Path folder = Path.of(System.getProperty("squint.torture.folder", "target/torture"));
    return new CoverageGuided(
        folder.toAbsolutePath().resolve("jazzer"), Long.getLong("squint.torture.seconds", 900));
  }

  private static void assertClean(CoverageGuided.Result result) {
    System.out.printf(
        "%d inputs, slowest %d s, %d MB, %s%n",
        result.executed(), result.slowestSeconds(), result.peakMegabytes(), result.log());
    assertThat(result.clean()).as("see %s", result.log()).isTrue();
    assertThat(result.executed()).isPositive();
  }

  @Test
  void imageHeaders() throws IOException, InterruptedException {
    assertClean(fuzzer().run(HeaderTarget.class, ImageSeeds.ofDesktopLibrary()));
  }

  @Test
  void onnxFiles() throws IOException, InterruptedException {
    List<byte[]> seeds = new ArrayList<>();
    try (Stream<Path> files = Files.walk(Fixtures.folder())) {
      for (Path file : files.filter(file -> file.toString().endsWith(".onnx")).sorted().toList()) {
        if (Files.size(file) < 100_000) {
          seeds.add(Files.readAllBytes(file));
        }
      }
    }
    assertClean(fuzzer().run(OnnxTarget.class, seeds));
  }
}

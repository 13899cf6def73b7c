package dev.squint.cli.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.condition.OS.LINUX;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many threads, every strategy, conversations, cancelled requests, interrupts, and models that are
 * closed and loaded again: answers stay right, and in the last minute the process holds no more
 * memory than in the second.
 */
@EnabledOnOs(LINUX)
class ThreadSoakTest {

  private static final int THREADS = 32;
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final double MOST_GROWTH = 1.02;

  /** Loading, and threads that end. */
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  @Test
  void answersStayRight(@TempDir Path folder) throws IOException, InterruptedException {
    soak(8, Duration.ofSeconds(3), folder.resolve("soak.log"), 1, 4);
  }

  /** {@code -Dsquint.soak.minutes} says for how long, {@code target/soak.log} what was seen. */
  @Test
  @Tag("torture")
  void memoryStaysFlat() throws IOException, InterruptedException {
    Duration duration = Duration.ofMinutes(Integer.getInteger("squint.soak.minutes", 10));
    Path log = Files.createDirectories(Path.of("target")).resolve("soak.log").toAbsolutePath();
    soak(THREADS, duration, log, 2, 1);
    List<Sample> samples = Sample.read(log);
    double second = residentKib(samples, MINUTE, MINUTE);
    double last = residentKib(samples, duration.minus(MINUTE), MINUTE);
    System.out.printf(
        "resident memory: %.0f KiB in the second minute, %.0f KiB in the last; %s%n",
        second, last, log);
    assertThat(last).as("KiB of memory at the end").isLessThanOrEqualTo(MOST_GROWTH * second);
  }

  private static void soak(int threads, Duration duration, Path log, int images, int every)
      throws IOException, InterruptedException {
    Path said = log.resolveSibling("soak.txt");
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    // All of the heap at once, so that what grows is not the heap.
                    "@../../models/fixtures/java.args",
                    "-Xms512m",
                    "-Xmx512m",
                    "-XX:+AlwaysPreTouch",
                    // What a host can set against memory that the C library keeps.
                    "-XX:+IgnoreUnrecognizedVMOptions",
                    "-XX:TrimNativeHeapInterval=10000",
                    "-cp",
                    System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path")),
                    ThreadSoak.class.getName(),
                    Path.of("../images").toAbsolutePath().toString(),
                    Integer.toString(threads),
                    Long.toString(duration.toSeconds()),
                    log.toString(),
                    Integer.toString(images),
                    Integer.toString(every)))
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    try {
      assertThat(process.waitFor(duration.plus(PATIENCE).toSeconds(), TimeUnit.SECONDS))
          .as("it ends")
          .isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as("%s", Files.readString(said)).isZero();
  }

  /**
   * The median, since a model that is loaded next to one that still answers takes more for a while.
   */
  private static double residentKib(List<Sample> samples, Duration from, Duration length) {
    double[] sorted =
        samples.stream()
            .filter(sample -> sample.time().compareTo(from) >= 0)
            .filter(sample -> sample.time().compareTo(from.plus(length)) < 0)
            .mapToDouble(Sample::residentKib)
            .sorted()
            .toArray();
    return sorted[sorted.length / 2];
  }

  private record Sample(Duration time, double residentKib, long answers) {

    static List<Sample> read(Path log) throws IOException {
      return Files.readAllLines(log).stream()
          .skip(1)
          .map(line -> line.split(" "))
          .map(
              values ->
                  new Sample(
                      Duration.ofSeconds(Long.parseLong(values[0])),
                      Double.parseDouble(values[1]),
                      Long.parseLong(values[3])))
          .toList();
    }
  }
}

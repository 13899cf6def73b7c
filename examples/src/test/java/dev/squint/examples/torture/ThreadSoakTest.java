package dev.squint.examples.torture;

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
 * Many threads, every strategy, interrupts, and models that are closed and loaded again: answers
 * stay right, and after two minutes the process holds no more memory.
 */
@EnabledOnOs(LINUX)
class ThreadSoakTest {

  private static final int THREADS = 64;
  private static final double MOST_GROWTH = 1.03;

  /** Until the caches are full and the Java classes compiled. */
  private static final Duration SETTLED = Duration.ofMinutes(2);

  /** Loading, and threads that end. */
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  @Test
  void answersStayRight(@TempDir Path folder) throws IOException, InterruptedException {
    soak(8, Duration.ofSeconds(6), folder.resolve("soak.log"), 1);
  }

  /** {@code -Dsquint.soak.minutes} says for how long, {@code target/soak.log} what was seen. */
  @Test
  @Tag("torture")
  void memoryStaysFlat() throws IOException, InterruptedException {
    Duration duration = Duration.ofMinutes(Integer.getInteger("squint.soak.minutes", 15));
    Path log = Files.createDirectories(Path.of("target")).resolve("soak.log").toAbsolutePath();
    soak(THREADS, duration, log, 2);
    Duration minute = Duration.ofMinutes(1);
    double first = residentKib(log, SETTLED, SETTLED.plus(minute));
    double last = residentKib(log, duration.minus(minute), duration.plus(minute));
    System.out.printf("resident memory: %.0f KiB, then %.0f KiB; %s%n", first, last, log);
    assertThat(last).as("KiB").isLessThanOrEqualTo(MOST_GROWTH * first);
  }

  private static void soak(int threads, Duration duration, Path log, int pictures)
      throws IOException, InterruptedException {
    Path said = log.resolveSibling("soak.txt");
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    // All of the heap at once, so that what grows is not the heap.
                    "-Xms512m",
                    "-Xmx512m",
                    "-XX:+AlwaysPreTouch",
                    "-cp",
                    System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path")),
                    ThreadSoak.class.getName(),
                    Path.of("images").toAbsolutePath().toString(),
                    Integer.toString(threads),
                    Long.toString(duration.toSeconds()),
                    log.toString(),
                    Integer.toString(pictures)))
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

  /** The median between two times. */
  private static double residentKib(Path log, Duration from, Duration to) throws IOException {
    double[] sorted =
        Files.readAllLines(log).stream()
            .skip(1)
            .map(line -> line.split(" "))
            .filter(
                sample ->
                    Long.parseLong(sample[0]) >= from.toSeconds()
                        && Long.parseLong(sample[0]) < to.toSeconds())
            .mapToDouble(sample -> Double.parseDouble(sample[1]))
            .sorted()
            .toArray();
    assertThat(sorted).as("samples from %s to %s", from, to).isNotEmpty();
    return sorted[sorted.length / 2];
  }
}

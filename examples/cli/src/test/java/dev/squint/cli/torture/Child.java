package dev.squint.cli.torture;

import dev.squint.engine.options.ModelOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A {@link Worker} and the eye on it. What it prints to standard error goes to a file, whose growth
 * is told; resident memory above a limit ends it.
 */
final class Child implements AutoCloseable {

  private static final Duration START = Duration.ofMinutes(2);
  private static final Duration TICK = Duration.ofMillis(100);
  private static final String END = "";

  private final Process process;
  private final Writer seeds;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
  private final Path errors;
  private final Limits limits;
  private long errorsRead;

  /**
   * What a case may take.
   *
   * @param time until it counts as hung
   * @param residentKilobytes of the whole process
   * @param heap of the process, as Java's {@code -Xmx} takes it
   */
  record Limits(Duration time, long residentKilobytes, String heap) {}

  private Child(Process process, Path errors, Limits limits) {
    this.process = process;
    this.errors = errors;
    this.limits = limits;
    this.seeds = process.outputWriter(StandardCharsets.UTF_8);
    Thread reader = new Thread(this::read, "torture-reader");
    reader.setDaemon(true);
    reader.start();
  }

  /** Starts one; returns when it is ready. */
  static Child start(String campaign, Path fixtures, Path scratch, Limits limits)
      throws IOException, InterruptedException {
    Path errors = scratch.resolve("stderr.txt");
    Files.write(errors, new byte[0]);
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx" + limits.heap(),
            "@../../models/fixtures/java.args",
            "-XX:ErrorFile=" + scratch.resolve("hs_err.log"),
            "-Djava.awt.headless=true",
            "-Djava.io.tmpdir=" + Files.createDirectories(scratch.resolve("tmp")),
            "-Dsquint.cache=" + ModelOptions.defaults().cacheFolder(),
            "-cp",
            System.getProperty("java.class.path"),
            Worker.class.getName(),
            campaign,
            fixtures.toString(),
            scratch.toString());
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.appendTo(errors.toFile()));
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    Child child = new Child(builder.start(), errors, limits);
    String ready = child.lines.poll(START.toSeconds(), TimeUnit.SECONDS);
    if (!"ready".equals(ready)) {
      child.close();
      throw new IOException("the child did not start: " + Files.readString(errors));
    }
    child.errorsRead = Files.size(errors);
    return child;
  }

  private void read() {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        lines.add(line);
      }
    } catch (IOException e) {
      // Its output ends with the process, which is told apart by its exit code.
    } finally {
      lines.add(END);
    }
  }

  /** Runs a case. Where it is hung, out of memory or aborted the process is gone afterwards. */
  CaseResult run(String campaign, long seed) throws IOException, InterruptedException {
    try {
      seeds.write(seed + "\n");
      seeds.flush();
    } catch (IOException e) {
      // It died between two cases: the empty line at the end of its output says so below.
    }
    long begin = System.nanoTime();
    long peak = 0;
    while (true) {
      String line = lines.poll(TICK.toMillis(), TimeUnit.MILLISECONDS);
      long millis = (System.nanoTime() - begin) / 1_000_000;
      if (line != null && line.startsWith(Worker.ANSWER + "\t")) {
        CaseResult answer = CaseResult.read(campaign + line.substring(Worker.ANSWER.length()));
        return noise().map(said -> answer.worse(Outcome.NOISY, said)).orElse(answer);
      }
      if (END.equals(line)) {
        process.waitFor();
        String said = noise().orElse("nothing on standard error");
        return new CaseResult(
            campaign,
            seed,
            Outcome.ABORTED,
            millis,
            peak,
            "exit code %d: %s".formatted(process.exitValue(), said));
      }
      peak = Math.max(peak, residentKilobytes());
      if (peak > limits.residentKilobytes()) {
        process.destroyForcibly().waitFor();
        return new CaseResult(campaign, seed, Outcome.MEMORY, millis, peak, "resident memory");
      }
      if (millis > limits.time().toMillis()) {
        String threads = Threads.of(process);
        process.destroyForcibly().waitFor();
        return new CaseResult(campaign, seed, Outcome.HUNG, millis, peak, threads);
      }
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  private Optional<String> noise() throws IOException {
    long size = Files.size(errors);
    if (size == errorsRead) {
      return Optional.empty();
    }
    byte[] all = Files.readAllBytes(errors);
    String said =
        new String(all, (int) errorsRead, all.length - (int) errorsRead, StandardCharsets.UTF_8);
    errorsRead = all.length;
    return Optional.of(said.substring(0, Math.min(said.length(), 1_000)));
  }

  private long residentKilobytes() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
      return 0;
    } catch (IOException e) {
      // Gone, or no Linux.
      return 0;
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}

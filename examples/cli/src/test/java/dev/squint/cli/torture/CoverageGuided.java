package dev.squint.cli.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs Jazzer, a fuzzer that keeps inputs which reach new code, on a target for some time. What it
 * has kept is where the next run begins.
 *
 * @param folder holds the inputs it keeps, those that failed and its log
 * @param seconds how long
 */
record CoverageGuided(Path folder, long seconds) {

  private static final String JAZZER = "com.code_intelligence.jazzer.Jazzer";
  private static final Pattern EXECUTED =
      Pattern.compile("stat::number_of_executed_units:\\s*(\\d+)");
  private static final Pattern SLOWEST = Pattern.compile("stat::slowest_unit_time_sec:\\s*(\\d+)");
  private static final Pattern PEAK = Pattern.compile("stat::peak_rss_mb:\\s*(\\d+)");

  /**
   * What came of it.
   *
   * @param executed inputs that were tried
   * @param slowestSeconds time of the slowest
   * @param peakMegabytes most memory of the process
   * @param clean whether none failed
   * @param log what Jazzer wrote
   */
  record Result(long executed, long slowestSeconds, long peakMegabytes, boolean clean, Path log) {}

  /** Fuzzes a target, beginning with sound inputs. */
  Result run(Class<?> target, List<byte[]> seeds) throws IOException, InterruptedException {
    Path home = Files.createDirectories(folder.resolve(target.getSimpleName()));
    Path corpus = Files.createDirectories(home.resolve("corpus"));
    for (int i = 0; i < seeds.size(); i++) {
      Files.write(corpus.resolve("seed-" + i), seeds.get(i));
    }
    Path log = home.resolve("jazzer.log");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-Djava.awt.headless=true",
                "-Djava.io.tmpdir=" + Files.createDirectories(home.resolve("tmp")),
                "-cp",
                System.getProperty("java.class.path"),
                JAZZER,
                "--target_class=" + target.getName(),
                "--instrumentation_includes=dev.squint.**",
                "--reproducer_path=" + home,
                "-artifact_prefix=" + home + "/",
                "-max_total_time=" + seconds,
                "-timeout=10",
                "-max_len=100000",
                "-rss_limit_mb=3000",
                "-print_final_stats=1",
                corpus.toString()));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .directory(home.toFile())
            .start();
    try {
      int code = process.waitFor();
      String said = Files.readString(log);
      return new Result(
          number(EXECUTED, said), number(SLOWEST, said), number(PEAK, said), code == 0, log);
    } finally {
      process.destroyForcibly();
    }
  }

  private static long number(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
  }
}

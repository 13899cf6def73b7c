package dev.squint.cli.torture;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/**
 * The child process: takes a seed per line, runs the case and says what came of it in one line. Its
 * peak of resident memory is counted anew for each case, where Linux allows it.
 */
final class Worker {

  /** What each line of an answer begins with, before seed, outcome, milliseconds, peak, detail. */
  static final String ANSWER = "case";

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path REFERENCES = Path.of("/proc/self/clear_refs");

  private Worker() {}

  /** Arguments: name of the campaign, folder of fixtures, scratch folder. */
  public static void main(String[] arguments) throws IOException {
    PrintStream out = System.out;
    Path scratch = Path.of(arguments[2]);
    Path work = scratch.resolve("case");
    try (Campaign campaign = Campaign.of(arguments[0], Path.of(arguments[1]), scratch);
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      out.println("ready");
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        long seed = Long.parseLong(line);
        WorkFolder.emptied(work);
        resetPeak();
        long before = kilobytes("VmRSS:");
        long begin = System.nanoTime();
        Verdict verdict = run(campaign, seed, work);
        long millis = (System.nanoTime() - begin) / 1_000_000;
        long grown = Math.max(0, kilobytes("VmHWM:") - before);
        out.println(
            String.join(
                "\t",
                ANSWER,
                Long.toString(seed),
                verdict.outcome().name(),
                Long.toString(millis),
                Long.toString(grown),
                Base64.getEncoder()
                    .encodeToString(verdict.detail().getBytes(StandardCharsets.UTF_8))));
        out.flush();
      }
    }
  }

  /** An interrupt that a case left behind would be the next one's. */
  private static Verdict run(Campaign campaign, long seed, Path work) throws IOException {
    Verdict verdict = campaign.run(seed, work);
    return Thread.interrupted()
        ? verdict.and(new Verdict(Outcome.RAW, "the interrupt flag is set afterwards"))
        : verdict;
  }

  private static void resetPeak() throws IOException {
    if (Files.isWritable(REFERENCES)) {
      Files.writeString(REFERENCES, "5");
    }
  }

  private static long kilobytes(String field) throws IOException {
    if (!Files.isReadable(STATUS)) {
      return 0;
    }
    for (String line : Files.readAllLines(STATUS)) {
      if (line.startsWith(field)) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    return 0;
  }
}

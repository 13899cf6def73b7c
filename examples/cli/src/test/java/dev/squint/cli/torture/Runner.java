package dev.squint.cli.torture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Runs the cases of a campaign one after the other, in a child that is started again when it died.
 * Each result is a line of a log, so that a run that was stopped goes on where it was; the inputs
 * of cases that failed are kept next to it.
 *
 * @param fixtures the folder of the models' test resources
 * @param folder holds logs, inputs that failed, and scratch files
 * @param limits what a case may take
 */
record Runner(Path fixtures, Path folder, Child.Limits limits) {

  /** A process that has seen many cases says less about the next. */
  private static final int CASES_PER_CHILD = 2_000;

  /** Reads the log of a campaign. */
  List<CaseResult> results(String campaign) throws IOException {
    Path log = log(campaign);
    if (!Files.exists(log)) {
      return List.of();
    }
    return whole(log).lines().map(CaseResult::read).toList();
  }

  /** A log without the line that a kill may have cut off. */
  private static String whole(Path log) throws IOException {
    String text = Files.readString(log);
    return text.substring(0, text.lastIndexOf('\n') + 1);
  }

  private Path log(String campaign) {
    return folder.resolve(campaign + ".log");
  }

  /**
   * Runs what the log lacks of some cases.
   *
   * @param campaign name of the campaign
   * @param from first seed
   * @param to seed after the last
   */
  void run(String campaign, long from, long to) throws IOException, InterruptedException {
    Files.createDirectories(folder);
    if (Files.exists(log(campaign))) {
      Files.writeString(log(campaign), whole(log(campaign)));
    }
    Set<Long> done = new HashSet<>();
    results(campaign).forEach(result -> done.add(result.seed()));
    Path scratch = WorkFolder.emptied(folder.resolve(campaign + ".scratch"));
    Child child = null;
    int used = 0;
    try (Writer log =
        Files.newBufferedWriter(
            log(campaign),
            StandardCharsets.UTF_8,
            StandardOpenOption.CREATE,
            StandardOpenOption.APPEND)) {
      for (long seed = from; seed < to; seed++) {
        if (done.contains(seed)) {
          continue;
        }
        if (child == null || !child.isAlive() || used >= CASES_PER_CHILD) {
          if (child != null) {
            child.close();
          }
          child = Child.start(campaign, fixtures, WorkFolder.emptied(scratch), limits);
          used = 0;
        }
        CaseResult result = child.run(campaign, seed);
        used++;
        if (result.outcome().isFault()) {
          keep(campaign, seed, scratch.resolve("case"), result);
        }
        log.write(result.line() + "\n");
        log.flush();
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } finally {
      if (child != null) {
        child.close();
      }
    }
  }

  private void keep(String campaign, long seed, Path input, CaseResult result) throws IOException {
    Path kept = WorkFolder.emptied(folder.resolve("failed").resolve(campaign + "-" + seed));
    if (Files.isDirectory(input)) {
      WorkFolder.copy(input, kept.resolve("input"));
    }
    Files.writeString(kept.resolve("result.txt"), result + "\n");
  }
}

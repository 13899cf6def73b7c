package dev.squint.examples;

import dev.squint.pruning.schedules.GSearch;
import java.io.PrintWriter;
import java.time.Duration;

/** Lines of progress with the time that is left, at most one in so many seconds within a trial. */
final class SearchLog {

  private static final long SILENCE_NANOS = 10_000_000_000L;

  private final PrintWriter err;
  private final int questions;
  private final long start = System.nanoTime();
  private long told = start;
  private long asked;
  private int trialsLeft;
  private String doing;

  /**
   * A log.
   *
   * @param err where lines go
   * @param questions questions of a trial
   * @param trials trials before the end, at most
   */
  SearchLog(PrintWriter err, int questions, int trials) {
    this.err = err;
    this.questions = questions;
    this.trialsLeft = trials;
    this.doing = "unpruned";
  }

  void say(String line) {
    err.println(line);
    err.flush();
    told = System.nanoTime();
  }

  /** A trial begins; one more run over all questions follows the last. */
  void trying(GSearch.Standing standing) {
    trialsLeft = standing.left() + 1;
    doing = "layer %d with %d tokens".formatted(standing.layer(), standing.count());
  }

  void settled(GSearch.Standing standing, boolean holds) {
    say(
        "layer %d: %d tokens %s; %s"
            .formatted(
                standing.layer(), standing.count(), holds ? "are enough" : "are too few", left(0)));
  }

  /** A question has been answered; at most so many follow in this trial. */
  void asked(int left) {
    asked++;
    if (System.nanoTime() - told > SILENCE_NANOS) {
      say("%s: %d of %d questions; %s".formatted(doing, questions - left, questions, left(left)));
    }
  }

  private String left(int ofThisTrial) {
    double each = (System.nanoTime() - start) / 1e9 / Math.max(1, asked);
    Duration rest =
        Duration.ofSeconds(Math.round(each * (ofThisTrial + (double) trialsLeft * questions)));
    return "at most %d:%02d:%02d left"
        .formatted(rest.toHours(), rest.toMinutesPart(), rest.toSecondsPart());
  }
}

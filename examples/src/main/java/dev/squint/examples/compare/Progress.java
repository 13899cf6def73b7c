package dev.squint.examples.compare;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/**
 * A bar with the time that is left: redrawn in place on a terminal, else a line now and then.
 * Thread-safe.
 */
final class Progress {

  private static final int WIDTH = 24;
  private static final long REDRAW_NANOS = 200_000_000L;
  private static final long SILENCE_NANOS = 15_000_000_000L;

  private final PrintWriter err;
  private final boolean terminal;
  private final String what;
  private final long total;
  private final long start = System.nanoTime();
  private long done;
  private long told = start - SILENCE_NANOS;
  private int errors;

  /**
   * A bar.
   *
   * @param err where it is drawn
   * @param terminal whether that can go back in a line
   * @param what what is counted
   * @param total how many there are to do
   */
  Progress(PrintWriter err, boolean terminal, String what, long total) {
    this.err = err;
    this.terminal = terminal;
    this.what = what;
    this.total = total;
  }

  synchronized void step() {
    done++;
    long now = System.nanoTime();
    if (now - told >= (terminal ? REDRAW_NANOS : SILENCE_NANOS)) {
      told = now;
      draw(now);
    }
  }

  synchronized void error() {
    errors++;
  }

  /** The last state, and the end of the line. */
  synchronized void end() {
    if (total > 0) {
      draw(System.nanoTime());
      if (terminal) {
        err.println();
      }
      err.flush();
    }
  }

  private void draw(long now) {
    String line = line(done, total, errors, Duration.ofNanos(now - start));
    if (terminal) {
      err.print("\r" + line + "   ");
    } else {
      err.println(line);
    }
    err.flush();
  }

  private String line(long done, long total, int errors, Duration spent) {
    double share = total == 0 ? 1 : (double) done / total;
    int full = (int) (share * WIDTH);
    double perSecond = done / Math.max(1e-3, spent.toNanos() / 1e9);
    String left =
        done == 0 || done == total
            ? ""
            : ", " + clock(Duration.ofSeconds((long) ((total - done) / perSecond))) + " left";
    return String.format(
        Locale.ROOT,
        "%s [%s%s] %,d of %,d, %.0f a second%s%s",
        what,
        "#".repeat(full),
        ".".repeat(WIDTH - full),
        done,
        total,
        perSecond,
        left,
        errors == 0 ? "" : ", " + errors + " failed");
  }

  private static String clock(Duration time) {
    if (time.toHours() > 0) {
      return "%d h %02d min".formatted(time.toHours(), time.toMinutesPart());
    }
    return time.toMinutes() > 0
        ? "%d min %02d s".formatted(time.toMinutes(), time.toSecondsPart())
        : time.toSeconds() + " s";
  }
}

package dev.squint.examples.compare;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/**
 * A bar with the time that is left: redrawn in place on a terminal, else a line now and then.
 * Thread-safe.
 */
final class Progress {

  private static final int BAR = 24;
  private static final String TO_END_OF_LINE = "\033[K";
  private static final long REDRAW_NANOS = 200_000_000L;
  private static final long SILENCE_NANOS = 15_000_000_000L;

  private final PrintWriter err;
  private final int width;
  private final String what;
  private final long total;
  private final long start = System.nanoTime();
  private long done;
  private long drawn;
  private long told = start - SILENCE_NANOS;
  private int errors;

  /**
   * A bar.
   *
   * @param err where it is drawn
   * @param width columns of the terminal that it is drawn on; 0 if it cannot go back in a line
   * @param what what is counted
   * @param total how many there are to do
   */
  Progress(PrintWriter err, int width, String what, long total) {
    this.err = err;
    this.width = width;
    this.what = what;
    this.total = total;
  }

  synchronized void step() {
    done++;
    long now = System.nanoTime();
    if (now - told >= (width > 0 ? REDRAW_NANOS : SILENCE_NANOS)) {
      told = now;
      draw(now);
    }
  }

  synchronized void error() {
    errors++;
  }

  /** The last state, and the end of the line; nothing if nothing was done. */
  synchronized void end() {
    if (done > 0) {
      if (drawn < done) {
        draw(System.nanoTime());
      }
      if (width > 0) {
        err.println();
      }
      err.flush();
    }
  }

  private void draw(long now) {
    drawn = done;
    String line = line(done, total, errors, Duration.ofNanos(now - start));
    if (width > 0) {
      // A line that fills the last column may be wrapped.
      err.print("\r" + line.substring(0, Math.min(line.length(), width - 1)) + TO_END_OF_LINE);
    } else {
      err.println(line);
    }
    err.flush();
  }

  private String line(long done, long total, int errors, Duration spent) {
    double share = total == 0 ? 1 : (double) done / total;
    double perSecond = done / Math.max(1e-3, spent.toNanos() / 1e9);
    String left =
        done == 0 || done == total
            ? ""
            : ", " + clock(Duration.ofSeconds((long) ((total - done) / perSecond))) + " left";
    String figures =
        String.format(
            Locale.ROOT,
            "%,d of %,d, %s a second%s%s",
            done,
            total,
            String.format(Locale.ROOT, perSecond < 10 ? "%.1f" : "%.0f", perSecond),
            left,
            errors == 0 ? "" : ", " + errors + " failed");
    int room = width == 0 ? BAR : width - what.length() - figures.length() - "  [] ".length();
    int bar = Math.min(BAR, room);
    int full = (int) (share * Math.max(0, bar));
    return bar < 4
        ? what + " " + figures
        : "%s [%s%s] %s".formatted(what, "#".repeat(full), ".".repeat(bar - full), figures);
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

package dev.squint.cli;

import dev.squint.evaluation.EvaluationListener;
import dev.squint.hub.HubListener;
import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A bar with the time that is left: redrawn in place on a terminal, else a line now and then.
 * Thread-safe.
 */
final class TerminalProgress implements EvaluationListener, AutoCloseable {

  private static final String TO_END_OF_LINE = "\033[K";
  private static final int REDRAW_MILLIS = 200;
  private static final int SILENCE_MILLIS = 15_000;
  private static final int LOG_WIDTH = 100;
  private static final long MIB = 1 << 20;

  private final PrintWriter err;
  private final int width;
  private String task = "";
  private long steps;
  private int failures;
  private ProgressBar bar;
  private String drawn = "";

  /**
   * Draws nothing yet.
   *
   * @param err where to
   * @param width columns of the terminal that this is; 0 if it cannot go back in a line
   */
  TerminalProgress(PrintWriter err, int width) {
    this.err = err;
    this.width = width;
  }

  @Override
  public synchronized void started(String name, long most) {
    task = name;
    steps = most;
    failures = 0;
    drawn = "";
  }

  /** Shows a download, of which it hears as a listener. */
  HubListener download(String name) {
    return new HubListener() {
      @Override
      public void onStart(int files, long bytes) {
        started(name, bytes);
        synchronized (TerminalProgress.this) {
          bar = files == 0 ? null : builder().setUnit(" MiB", MIB).build();
        }
      }

      @Override
      public void onProgress(long bytes) {
        synchronized (TerminalProgress.this) {
          bar.stepTo(bytes);
        }
      }

      @Override
      public void onNote(String sentence) {
        said(sentence);
      }
    };
  }

  private ProgressBarBuilder builder() {
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(steps)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(width > 0 ? REDRAW_MILLIS : SILENCE_MILLIS)
        .showSpeed()
        .setConsumer(new Line());
  }

  @Override
  public synchronized void stepped(boolean failed) {
    if (bar == null) {
      bar = builder().build();
    }
    if (failed) {
      failures++;
      bar.setExtraMessage(" " + failures + " failed");
    }
    bar.step();
  }

  @Override
  public synchronized void resized(long most) {
    steps = most;
    if (bar != null) {
      bar.maxHint(most);
    }
  }

  @Override
  public void ended() {
    ProgressBar open;
    synchronized (this) {
      open = bar;
      bar = null;
    }
    if (open != null) {
      // Draws the last state from a thread of its own.
      open.close();
      if (width > 0) {
        err.println();
        err.flush();
      }
    }
  }

  @Override
  public synchronized void said(String sentence) {
    boolean redrawn = width > 0 && bar != null;
    err.println(redrawn ? "\r" + sentence + TO_END_OF_LINE : sentence);
    err.flush();
  }

  @Override
  public void close() {
    ended();
  }

  private synchronized void draw(String line) {
    // The library draws the last state twice, with another clock.
    int clock = line.indexOf('(');
    String state = (clock < 0 ? line : line.substring(0, clock)) + failures;
    if (!state.equals(drawn)) {
      drawn = state;
      if (width > 0) {
        err.print("\r" + line + TO_END_OF_LINE);
      } else {
        err.println(line);
      }
      err.flush();
    }
  }

  /** Where the library draws. */
  private final class Line implements ProgressBarConsumer {

    @Override
    public int getMaxRenderedLength() {
      // A line that fills the last column may be wrapped.
      return width > 0 ? width - 1 : LOG_WIDTH;
    }

    @Override
    public void accept(String rendered) {
      draw(rendered.stripTrailing());
    }

    @Override
    public void close() {
      // The writer is the command's.
    }
  }
}

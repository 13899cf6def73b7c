package dev.squint.hub;

import java.io.IOException;
import java.time.Duration;
import java.util.function.Predicate;

/** Tries what may fail for a while: as long as a server wants, else with pauses that double. */
final class Attempts {

  private Attempts() {}

  /** One attempt. */
  @FunctionalInterface
  interface Attempt<T> {
    /** Throws {@link IOException} where another may go well, and anything else for good. */
    T run() throws IOException, InterruptedException;
  }

  /**
   * Tries until it goes well, as often as the options say.
   *
   * @throws IOException what the last attempt failed with
   */
  static <T> T of(HubOptions options, Attempt<T> attempt) throws IOException, InterruptedException {
    return of(options, e -> true, attempt);
  }

  /**
   * Tries until it goes well or fails in a way that another attempt does not change.
   *
   * @param mayPass whether another attempt may go well
   * @throws IOException what the last attempt failed with
   */
  static <T> T of(HubOptions options, Predicate<IOException> mayPass, Attempt<T> attempt)
      throws IOException, InterruptedException {
    Duration pause = options.pause();
    for (int left = options.attempts() - 1; ; left--) {
      try {
        return attempt.run();
      } catch (IOException e) {
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
        if (left == 0 || !mayPass.test(e)) {
          throw e;
        }
        Thread.sleep(
            (e instanceof HubClient.Passing passing ? passing.pause().orElse(pause) : pause)
                .toMillis());
        pause = pause.multipliedBy(2);
      }
    }
  }
}

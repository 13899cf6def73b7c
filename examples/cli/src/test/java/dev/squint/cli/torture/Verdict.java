package dev.squint.cli.torture;

import dev.squint.error.SquintException;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;

/**
 * What came of one or more steps.
 *
 * @param outcome the worst of them
 * @param detail what was said in that step
 */
record Verdict(Outcome outcome, String detail) {

  private static final int LONGEST_SENTENCE = 2_000;
  private static final int LINES_OF_TRACE = 6;

  /** What a library or Java itself says, and no sentence of ours should repeat. */
  private static final Pattern FOREIGN =
      Pattern.compile(
          "onnxruntime_src|\\.cc:\\d|\\.cpp:\\d|\\.rs:\\d|std::|onnxruntime::|\\b(?:java|com|ai|org)\\.[a-z]+\\.[a-z.]*[A-Z]"
              + "|(?<!'|not )\\bnull\\b|Exception:|panicked");

  static Verdict answered() {
    return new Verdict(Outcome.ANSWERED, "");
  }

  /** Runs a step. */
  static Verdict of(Callable<?> step) {
    try {
      step.call();
      return answered();
    } catch (Exception | StackOverflowError | OutOfMemoryError | LinkageError | AssertionError e) {
      return of(e);
    }
  }

  private static Verdict of(Throwable e) {
    if (e instanceof OutOfMemoryError) {
      return new Verdict(Outcome.MEMORY, trace(e));
    }
    String message = String.valueOf(e.getMessage());
    boolean sentence = e instanceof SquintException && unlikeASentence(message).isEmpty();
    return sentence
        ? new Verdict(Outcome.REFUSED, message)
        : new Verdict(
            Outcome.RAW, unlikeASentence(message).map(r -> r + ": ").orElse("") + trace(e));
  }

  /** Why a message is none that a person should read. */
  static Optional<String> unlikeASentence(String message) {
    if (message.chars().anyMatch(Character::isISOControl)) {
      return Optional.of("several lines or control characters");
    }
    if (message.length() > LONGEST_SENTENCE) {
      return Optional.of("too long");
    }
    var foreign = FOREIGN.matcher(message);
    return foreign.find() ? Optional.of("says '" + foreign.group() + "'") : Optional.empty();
  }

  /** Fails where a refusal is not one sentence. */
  static void requireSentence(RuntimeException refusal) {
    unlikeASentence(String.valueOf(refusal.getMessage()))
        .ifPresent(
            reason -> {
              throw new AssertionError(reason, refusal);
            });
  }

  private static String trace(Throwable e) {
    StringBuilder text = new StringBuilder(e.toString());
    StackTraceElement[] trace = e.getStackTrace();
    for (int i = 0; i < Math.min(LINES_OF_TRACE, trace.length); i++) {
      text.append(" at ").append(trace[i]);
    }
    if (e.getCause() != null) {
      text.append(" caused by ").append(trace(e.getCause()));
    }
    return text.toString();
  }

  Verdict and(Verdict other) {
    return other.outcome.compareTo(outcome) > 0 ? other : this;
  }
}

package dev.squint.error;

import java.util.Objects;

/** What Squint cannot do, told in one sentence that names the thing and the fix. */
public class SquintException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** Whose fault it is, for hosts that answer each in another way. */
  public enum Kind {
    /** What was asked cannot be: an image, a question, data, a file, an option, a device. */
    BAD_REQUEST,
    /** The model's files are damaged, or not understood. */
    BAD_MODEL,
    /** The strategy is not known, or cannot act on this model. */
    REFUSED_STRATEGY,
    /** There is no room for the request, in memory or in a queue; later there may be. */
    OVERLOAD,
    /** The request was not done in its time, or was cancelled. */
    DEADLINE,
    /** Squint failed, or a library below it. */
    INTERNAL
  }

  private final Kind kind;

  /**
   * Creates the exception.
   *
   * @param kind whose fault it is
   * @param message one sentence that names the thing and the fix
   */
  public SquintException(Kind kind, String message) {
    this(kind, message, null);
  }

  /**
   * Creates the exception.
   *
   * @param kind whose fault it is
   * @param message one sentence that names the thing and the fix
   * @param cause what the lower layer said, or null
   */
  public SquintException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = Objects.requireNonNull(kind, "kind");
  }

  /** Whose fault it is. */
  public final Kind kind() {
    return kind;
  }
}

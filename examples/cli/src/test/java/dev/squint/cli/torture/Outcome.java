package dev.squint.cli.torture;

/** How a case ended, mildest first; a case of several steps ends as its worst one. */
enum Outcome {
  /** Squint took the input. */
  ANSWERED,
  /** Squint refused it in one sentence of its own. */
  REFUSED,
  /** An exception that is not Squint's own, or a message that is not one sentence. */
  RAW,
  /** Something was printed to standard error. */
  NOISY,
  /** A file of the user was changed. */
  CHANGED,
  /** More memory was taken than the input justifies. */
  MEMORY,
  /** It took longer than the limit. */
  HUNG,
  /** The process died. */
  ABORTED;

  boolean isFault() {
    return compareTo(RAW) >= 0;
  }

  Outcome worse(Outcome other) {
    return compareTo(other) >= 0 ? this : other;
  }
}

package dev.squint.cli.torture;

import dev.squint.image.ImageException;
import dev.squint.image.ImageInput;

/** What a coverage-guided fuzzer calls with bytes that might be an image. */
public final class HeaderTarget {

  private HeaderTarget() {}

  /** Reads the header, which is all Java. */
  public static void fuzzerTestOneInput(byte[] data) {
    try {
      ImageInput.of(data);
    } catch (ImageException e) {
      Verdict.requireSentence(e);
    }
  }
}

package dev.squint.overlay;

import java.nio.file.Path;

/** Writes an overlay of a megabyte, and says why it could not. */
final class OverlayMain {

  private OverlayMain() {}

  public static void main(String[] arguments) {
    try {
      OverlayFile.write(Path.of(arguments[0]), new byte[1 << 20]);
    } catch (OverlayException e) {
      System.out.println(e.getMessage());
    }
  }
}

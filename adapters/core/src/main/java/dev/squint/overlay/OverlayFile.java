package dev.squint.overlay;

import dev.squint.onnx.internal.io.AtomicFiles;
import dev.squint.onnx.internal.io.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** The file an overlay goes to: checked before the model runs, written whole or not at all. */
public final class OverlayFile {

  private OverlayFile() {}

  /**
   * Checks that a PNG file can be written there.
   *
   * @param sources files that must stay, and folders in which all that is there must stay
   * @throws OverlayException if not, or if the file is one of those, be it under another name
   */
  public static void check(Path target, Path... sources) {
    if (!target.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
      throw new OverlayException(
          "cannot write the overlay " + target + ": name a file ending in .png");
    }
    if (Files.isDirectory(target)) {
      throw new OverlayException(
          "cannot write the overlay " + target + ": it is a folder; name a file");
    }
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      throw new OverlayException(
          "cannot write the overlay " + target + ": that is no ordinary file; name another");
    }
    for (Path source : sources) {
      if (belongsTo(source, target)) {
        throw new OverlayException(
            "cannot write the overlay %s: it would replace what was read from %s; name another file"
                .formatted(target, source));
      }
    }
    AtomicFiles.obstacle(target)
        .ifPresent(
            reason -> {
              throw new OverlayException("cannot write the overlay " + target + ": " + reason);
            });
  }

  private static boolean belongsTo(Path source, Path target) {
    try {
      return Files.exists(target)
          && Files.exists(source)
          && (Files.isSameFile(source, target)
              || target.toRealPath().startsWith(source.toRealPath()));
    } catch (IOException e) {
      throw new OverlayException(
          "cannot write the overlay " + target + ": it cannot be looked at; name another file", e);
    }
  }

  public static void write(Path target, byte[] png) {
    try {
      AtomicFiles.replace(target, png);
    } catch (IOException e) {
      throw new OverlayException(
          "cannot write the overlay %s (%s): choose another folder"
              .formatted(target, FileFailure.reason(e)),
          e);
    }
  }
}

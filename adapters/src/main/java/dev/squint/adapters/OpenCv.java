package dev.squint.adapters;

import dev.squint.models.ModelException;
import dev.squint.models.ModelOptions;
import dev.squint.models.UnpackedResource;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import nu.pattern.OpenCV;
import org.opencv.core.Core;

/**
 * Loads OpenCV's native library once per process. The library weighs 65 MB, and unpacking it at
 * each start would be most of a short run, so on Linux it is unpacked once into the cache folder
 * and verified at each start; elsewhere, and where the cache cannot be written, OpenCV's own loader
 * does it.
 */
final class OpenCv {

  private static final String LIBRARY = "lib" + Core.NATIVE_LIBRARY_NAME + ".so";

  private OpenCv() {}

  /**
   * Loads it on the first call; the Java runtime ignores later ones.
   *
   * @throws ModelException if it can be unpacked nowhere
   */
  static void load(Path cacheFolder) {
    OpenCvLog.turnOff();
    String processor =
        switch (System.getProperty("os.arch")) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64" -> "ARMv8";
          default -> "";
        };
    URL resource =
        OpenCV.class.getResource("/nu/pattern/opencv/linux/%s/%s".formatted(processor, LIBRARY));
    Path folder = cacheFolder.resolve("native").resolve(processor);
    if (!System.getProperty("os.name").equals("Linux") || resource == null) {
      OpenCV.loadLocally();
      return;
    }
    try {
      Path library = new UnpackedResource(resource, folder, LIBRARY).verified();
      System.load(library.toAbsolutePath().toString());
    } catch (IOException | UnsatisfiedLinkError e) {
      loadLocally(folder, e);
    }
  }

  private static void loadLocally(Path folder, Throwable reason) {
    try {
      OpenCV.loadLocally();
    } catch (RuntimeException | LinkageError e) {
      e.addSuppressed(reason);
      throw new ModelException(
          "OpenCV's library can be loaded neither from %s (%s) nor from the temporary folder; %s"
              .formatted(folder, reason.getMessage(), ModelOptions.OTHER_CACHE),
          e);
    }
  }
}

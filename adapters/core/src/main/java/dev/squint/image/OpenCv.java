package dev.squint.image;

import dev.squint.engine.options.ModelOptions;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.NativeLibrary;
import java.io.IOException;
import java.nio.file.Path;
import nu.pattern.OpenCV;
import org.opencv.core.Core;

/**
 * Loads OpenCV's {@linkplain NativeLibrary native library} once per process: 65 MB, which to unpack
 * at each start would be most of a short run.
 */
public final class OpenCv {

  private static final String LIBRARY = "lib" + Core.NATIVE_LIBRARY_NAME + ".so";

  private OpenCv() {}

  /**
   * Loads it on the first call; the Java runtime ignores later ones.
   *
   * @throws ModelException if it can be unpacked nowhere
   */
  public static void load(Path cacheFolder) {
    OpenCvLog.turnOff();
    Leptonica.load(cacheFolder);
    String processor = NativeLibrary.processor("x86_64", "ARMv8");
    String root = "/nu/pattern/opencv/linux/%s/".formatted(processor);
    Path folder = cacheFolder.toAbsolutePath().resolve("native").resolve(processor);
    try {
      if (NativeLibrary.unpack(OpenCV.class, root, folder, LIBRARY)) {
        System.load(folder.resolve(LIBRARY).toString());
      } else {
        OpenCV.loadLocally();
      }
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

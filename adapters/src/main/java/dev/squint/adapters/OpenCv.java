package dev.squint.adapters;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import nu.pattern.OpenCV;
import org.opencv.core.Core;

/**
 * Loads OpenCV's native library once per process. The library weighs 65 MB, and unpacking it at
 * each start would be most of a short run, so on Linux it is unpacked once into the cache folder;
 * elsewhere, and where the cache cannot be written, OpenCV's own loader does it.
 */
final class OpenCv {

  private static final String LIBRARY = "lib" + Core.NATIVE_LIBRARY_NAME + ".so";

  private OpenCv() {}

  /** Loads it on the first call; the Java runtime ignores later ones. */
  static void load(Path cacheFolder) {
    OpenCvLog.turnOff();
    String folder =
        switch (System.getProperty("os.arch")) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64" -> "ARMv8";
          default -> "";
        };
    String resource = "/nu/pattern/opencv/linux/" + folder + "/" + LIBRARY;
    boolean linux = System.getProperty("os.name").equals("Linux");
    if (!linux || OpenCV.class.getResource(resource) == null) {
      OpenCV.loadLocally();
      return;
    }
    try {
      System.load(unpacked(resource, cacheFolder.resolve("native")).toAbsolutePath().toString());
    } catch (IOException | UnsatisfiedLinkError e) {
      OpenCV.loadLocally();
    }
  }

  private static Path unpacked(String resource, Path folder) throws IOException {
    Path library = folder.resolve(LIBRARY);
    if (Files.isRegularFile(library)) {
      return library;
    }
    Files.createDirectories(folder);
    Path temporary = Files.createTempFile(folder, LIBRARY, ".part");
    try (InputStream in = OpenCV.class.getResourceAsStream(resource)) {
      Files.copy(in, temporary, StandardCopyOption.REPLACE_EXISTING);
      Files.move(temporary, library, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileAlreadyExistsException | AtomicMoveNotSupportedException e) {
      Files.move(temporary, library, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
    return library;
  }
}

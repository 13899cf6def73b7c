package dev.squint.models.runtime;

import ai.onnxruntime.OrtEnvironment;
import dev.squint.models.UnpackedResource;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import java.util.function.Supplier;
import java.util.logging.Level;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ONNX Runtime's native library. Its own loader unpacks 28 MB into the temporary folder at each
 * start and leaves them there where the process is killed; on Linux they are unpacked once into the
 * cache folder and verified at each start. Elsewhere, where the cache cannot be written, and for
 * builds with more libraries than these two, its own loader does it.
 */
public final class RuntimeLibrary {

  private static final Logger LOG = LoggerFactory.getLogger(RuntimeLibrary.class);
  private static final String CHOICE = "onnxruntime.native.path";
  private static final String LIBRARY = "libonnxruntime.so";
  private static final String BINDINGS = "libonnxruntime4j_jni.so";
  private static final String PROVIDERS = "libonnxruntime_providers_shared.so";
  private static final String LOADER = "ai.onnxruntime.OnnxRuntime";

  private RuntimeLibrary() {}

  /**
   * Has ONNX Runtime load what lies in a cache, unless the host has said where it lies or has
   * loaded it already.
   *
   * @param cacheFolder the cache folder, created if needed
   */
  public static synchronized void unpack(Path cacheFolder) {
    String platform =
        switch (System.getProperty("os.arch")) {
          case "amd64", "x86_64" -> "linux-x64";
          case "aarch64" -> "linux-aarch64";
          default -> "";
        };
    String root = "/ai/onnxruntime/native/" + platform + "/";
    URL library = OrtEnvironment.class.getResource(root + LIBRARY);
    URL bindings = OrtEnvironment.class.getResource(root + BINDINGS);
    boolean ours =
        System.getProperty("os.name").equals("Linux")
            && System.getProperty(CHOICE) == null
            && library != null
            && bindings != null
            && OrtEnvironment.class.getResource(root + PROVIDERS) == null;
    if (!ours) {
      return;
    }
    Path folder = cacheFolder.resolve("native").resolve("onnxruntime-" + platform);
    try {
      new UnpackedResource(library, folder, LIBRARY).verified();
      new UnpackedResource(bindings, folder, BINDINGS).verified();
      System.setProperty(CHOICE, folder.toAbsolutePath().toString());
    } catch (IOException e) {
      LOG.debug("ONNX Runtime unpacks its library itself: {}", e.toString());
    }
  }

  /** Its loader prints a stack trace where it cannot unpack the library, and then throws. */
  static <T> T withoutTrace(Supplier<T> start) {
    java.util.logging.Logger loader = java.util.logging.Logger.getLogger(LOADER);
    Level before = loader.getLevel();
    loader.setLevel(Level.OFF);
    try {
      return start.get();
    } finally {
      loader.setLevel(before);
    }
  }
}

package dev.squint.engine.internal.ort;

import ai.onnxruntime.OrtEnvironment;
import dev.squint.engine.internal.host.HostProcess;
import dev.squint.onnx.internal.io.NativeLibrary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Supplier;
import java.util.logging.Level;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ONNX Runtime's {@linkplain NativeLibrary native library}, 28 MB, which its own loader leaves in
 * the temporary folder where a process is killed. That loader does it for builds with more
 * libraries than these two.
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
    String platform = NativeLibrary.processor("linux-x64", "linux-aarch64");
    String root = "/ai/onnxruntime/native/" + platform + "/";
    if (System.getProperty(CHOICE) != null
        || OrtEnvironment.class.getResource(root + PROVIDERS) != null) {
      return;
    }
    Path folder = cacheFolder.toAbsolutePath().resolve("native").resolve("onnxruntime-" + platform);
    try {
      if (NativeLibrary.unpack(OrtEnvironment.class, root, folder, LIBRARY, BINDINGS)) {
        HostProcess.setProperty(CHOICE, folder.toString());
      }
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

package dev.squint.engine;

import dev.squint.engine.internal.ort.ArenaPolicy;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.session.SessionFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Gives ONNX Runtime a file as it lies on disk, to compare with what this library makes of it. */
public final class WholeFile {

  private WholeFile() {}

  /** Opens a file that a test has made itself. */
  public static ModelSession open(OrtRuntime runtime, Device device, int threads, Path file) {
    try {
      Path folder = file.toAbsolutePath().getParent();
      return runtime.open(
          Files.readAllBytes(file), folder, device, threads, file.toString(), ArenaPolicy.OWN);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static ModelSession open(SessionFactory sessions, Path file) {
    return open(sessions.runtime(), sessions.device(), 1, file);
  }
}

package dev.squint.cli.torture;

import dev.squint.engine.StrategySupport;
import dev.squint.error.ModelException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a coverage-guided fuzzer calls with bytes that might be an ONNX file. */
public final class OnnxTarget {

  private OnnxTarget() {}

  /** Inspects the file, which is all Java. */
  public static void fuzzerTestOneInput(byte[] data) {
    Path file = Path.of(System.getProperty("java.io.tmpdir"), "fuzzed.onnx");
    try {
      Files.write(file, data);
      StrategySupport.of(file, "");
    } catch (ModelException e) {
      Verdict.requireSentence(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

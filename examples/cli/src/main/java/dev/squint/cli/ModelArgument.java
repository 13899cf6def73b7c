package dev.squint.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which exported model {@code inspect} and {@code split} look at. */
final class ModelArgument {

  @Parameters(index = "0", paramLabel = "MODEL", description = "Model folder or .onnx file.")
  private Path path;

  @Option(
      names = "--precision",
      defaultValue = "",
      paramLabel = "SUFFIX",
      description = "Which graphs of a hub-layout folder, such as q4 (default: the most exact).")
  private String precision;

  Path path() {
    return path;
  }

  String precision() {
    return precision;
  }
}

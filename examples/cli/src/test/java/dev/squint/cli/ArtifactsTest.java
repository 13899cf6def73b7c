package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What each artifact drags into an application at run time, as Maven resolved it in this build. */
class ArtifactsTest {

  private static final Path ROOT = Path.of("").toAbsolutePath().getParent().getParent();
  private static final Set<String> UNPUBLISHED = Set.of("models/toys", "examples/samples");
  private static final Map<String, List<String>> LIBRARIES = libraries();
  private static final Pattern RESOLVED =
      Pattern.compile(
          "^ +([\\w.-]+):([\\w.-]+):(?:jar|pom):(?:[\\w.-]+:)?[\\w.-]+:(?:compile|runtime)");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          pruning             |
          models/tiny         |
          models/onnx         | squint-pruning, %ONNX
          models/engine       | squint-pruning, squint-onnx, %ENGINE
          adapters/core       | squint-pruning, squint-onnx, squint-engine, %CORE
          adapters/evaluation | squint-pruning, squint-onnx, squint-engine, squint, %EVALUATION
          examples/cli        | squint-pruning, squint-onnx, squint-engine, squint, squint-evaluation, squint-tiny, %CLI
          """)
  void dragsInNothingElse(String module, String artifacts) throws IOException {
    List<String> allowed =
        artifacts == null
            ? List.of()
            : Stream.of(artifacts.split(", "))
                .flatMap(
                    name -> name.startsWith("%") ? LIBRARIES.get(name).stream() : Stream.of(name))
                .toList();
    assertThat(runtime(module)).containsExactlyInAnyOrderElementsOf(allowed);
  }

  private static Map<String, List<String>> libraries() {
    List<String> json = List.of("jackson-annotations", "jackson-core", "jackson-databind");
    List<String> onnx = with(json, "tribuo-util-onnx", "protobuf-java", "slf4j-api");
    List<String> engine = with(onnx, "onnxruntime", "jna");
    List<String> tokenizers = List.of("tokenizers", "api", "gson", "commons-compress");
    List<String> jinja =
        List.of(
            "jinjava",
            "guava",
            "re2j",
            "immutables-exceptions",
            "jackson-dataformat-yaml",
            "jackson-datatype-jdk8",
            "commons-lang3",
            "error_prone_annotations");
    List<String> core = with(engine, "opencv", "commons-codec", "commons-io");
    core.addAll(Collections.nCopies(5, "leptonica"));
    core.addAll(tokenizers);
    core.addAll(jinja);
    List<String> evaluation = with(core, "commons-csv", "xchart", "VectorGraphics2D");
    List<String> cli = with(evaluation, "picocli", "progressbar", "jline-terminal", "slf4j-simple");
    return Map.of(
        "%ONNX", onnx, "%ENGINE", engine, "%CORE", core, "%EVALUATION", evaluation, "%CLI", cli);
  }

  private static List<String> with(List<String> some, String... more) {
    List<String> all = new ArrayList<>(some);
    all.addAll(List.of(more));
    return all;
  }

  private static List<String> runtime(String module) throws IOException {
    Path list = ROOT.resolve(module).resolve("target/runtime-dependencies.txt");
    try (Stream<String> lines = Files.lines(list)) {
      return lines
          .map(RESOLVED::matcher)
          .filter(Matcher::find)
          .map(match -> match.group(2))
          .toList();
    }
  }

  @Test
  void theBomNamesEveryArtifactInThisVersion() throws IOException {
    String version = first("<version>([^<]+)", Files.readString(ROOT.resolve("pom.xml")));
    String bom = Files.readString(ROOT.resolve("adapters/bom/pom.xml"));
    assertThat(first("<version>([^<]+)", bom)).isEqualTo(version);
    for (String module : modules()) {
      String pom = Files.readString(ROOT.resolve(module).resolve("pom.xml"));
      String artifact = first("</parent>\\s*<artifactId>([^<]+)", pom);
      assertThat(bom).contains("<artifactId>" + artifact + "</artifactId>");
    }
  }

  /** Folders of what is published as a jar. */
  private static List<String> modules() throws IOException {
    try (Stream<Path> files = Files.walk(ROOT, 3)) {
      return files
          .filter(file -> file.endsWith("pom.xml"))
          .filter(file -> Files.isDirectory(file.resolveSibling("src/main")))
          .map(file -> ROOT.relativize(file.getParent()).toString())
          .filter(module -> !UNPUBLISHED.contains(module) && !module.startsWith("."))
          .toList();
    }
  }

  private static String first(String pattern, String text) {
    Matcher match = Pattern.compile(pattern).matcher(text);
    assertThat(match.find()).isTrue();
    return match.group(1);
  }
}

package dev.squint.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** README's program is the one that is compiled, and it runs. */
class ReadmeTest {

  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();

  @Test
  void theLibraryExampleIsTheCompiledOne() throws IOException {
    String readme = Files.readString(ROOT.resolve("README.md"));
    int start = readme.indexOf("```java\n", readme.indexOf("<!-- library-example -->")) + 8;
    String shown = readme.substring(start, readme.indexOf("```", start));
    String source =
        Files.readString(
            ROOT.resolve("examples/src/main/java/dev/squint/examples/LibraryExample.java"));
    int body = source.indexOf("    try (");
    String compiled =
        source.substring(body, source.lastIndexOf("  }\n")).stripTrailing().stripIndent();
    assertThat(shown.strip()).isEqualTo(compiled.strip());
  }

  @Test
  void theLibraryExampleRuns() {
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      LibraryExample.main(new String[] {ROOT.resolve("examples/images/scene-01.png").toString()});
    } finally {
      System.setOut(before);
    }
    assertThat(out.toString(StandardCharsets.UTF_8))
        .contains("144 -> 72")
        .containsPattern("\\d+ FLOPs");
  }
}

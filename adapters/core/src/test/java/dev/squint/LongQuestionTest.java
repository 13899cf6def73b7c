package dev.squint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.family.prompt.LongQuestionMain;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A question of any length is refused at once, in a process with a small heap. */
class LongQuestionTest {

  private static final int CHARACTERS = 20_000_000;

  @TempDir static Path folder;

  private static List<String> run(int characters, boolean spaces) throws Exception {
    Path out = folder.resolve("out");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@../../models/fixtures/java.args",
                "-Xmx192m",
                "-cp",
                System.getProperty("java.class.path"),
                LongQuestionMain.class.getName(),
                folder.resolve("cache").toString(),
                Integer.toString(characters),
                Boolean.toString(spaces))
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    try {
      assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    String said = Files.readString(out, StandardCharsets.UTF_8);
    assertThat(process.exitValue()).as(said).isZero();
    return said.lines().filter(line -> line.indexOf('\t') > 0).toList();
  }

  @Test
  void isRefusedAtOnce() throws Exception {
    List<String> lines = run(CHARACTERS, false);
    assertThat(lines).hasSameSizeAs(LongQuestionMain.WORDS);
    for (String line : lines) {
      String[] cells = line.split("\t");
      assertThat(Long.parseLong(cells[0])).as(line).isLessThan(1_000);
      assertThat(Long.parseLong(cells[1])).as(line).isLessThan(60_000);
      assertThat(cells[2]).startsWith("the question is too long: ").doesNotContain("\n");
    }
  }

  @Test
  void ofNothingButSpacesIsEmpty() throws Exception {
    assertThat(run(CHARACTERS, true))
        .hasSameSizeAs(LongQuestionMain.SPACES)
        .allSatisfy(line -> assertThat(line).contains("the question is empty"))
        .allSatisfy(line -> assertThat(Long.parseLong(line.split("\t")[0])).isLessThan(1_000));
  }
}

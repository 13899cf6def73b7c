package dev.squint.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.condition.OS.LINUX;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.io.TempDir;

/** The process may not write files as long as it wants to, which looks to it like a full disk. */
@EnabledOnOs(LINUX)
class FullDiskTest {

  @TempDir Path folder;

  @Test
  void leavesWholeFilesAndLinesOnly() throws Exception {
    Path said = folder.resolve("said");
    Path out = Files.createDirectory(folder.resolve("out"));
    new ProcessBuilder(
            "sh",
            "-c",
            "ulimit -f 9; exec \"$@\"",
            "sh",
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "@../../models/fixtures/java.args",
            "-XX:-UsePerfData",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            FullDisk.class.getName(),
            out.toString())
        .redirectError(said.toFile())
        .start()
        .waitFor();
    Path lines = out.resolve("lines.jsonl");
    assertThat(Files.readAllLines(said))
        .containsExactly(
            out.resolve("index.html") + " cannot be written: File too large; choose another output",
            lines
                + " cannot be written: File too large; make room on the disk and start again, what it holds is kept");
    assertThat(out.toFile().list()).containsExactly("lines.jsonl");
    List<Integer> numbers = new ArrayList<>();
    JsonlLog.open(lines, line -> numbers.add(line.path("number").intValue())).close();
    assertThat(numbers)
        .hasSizeGreaterThan(100)
        .isEqualTo(IntStream.range(0, numbers.size()).boxed().toList());
    assertThat(Files.readString(lines)).endsWith("}\n");
  }
}

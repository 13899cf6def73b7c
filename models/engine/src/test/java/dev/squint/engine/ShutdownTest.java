package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.condition.OS.LINUX;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(LINUX)
class ShutdownTest {

  @TempDir Path temp;

  @Test
  void aProcessThatEndsWhileQuestionsAreAnsweredDoesNotCrash()
      throws IOException, InterruptedException {
    endWhileAsked();
  }

  @RepeatedTest(10)
  @Tag("slow")
  void norDoOneOfTen() throws IOException, InterruptedException {
    endWhileAsked();
  }

  private void endWhileAsked() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "@" + Path.of("../../models/fixtures/java.args").toAbsolutePath(),
                "-cp",
                System.getProperty("java.class.path"),
                ShutdownMain.class.getName())
            .directory(temp.toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isEqualTo(ShutdownMain.STATUS);
  }
}

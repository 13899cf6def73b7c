package dev.squint.samples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.Answer;
import dev.squint.Squint;
import dev.squint.pruning.Strategies;
import dev.squint.samples.ask.Ask;
import dev.squint.samples.chat.Chat;
import dev.squint.samples.split.Split;
import dev.squint.samples.strategy.LongestValues;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each program does what its package says. */
class SamplesTest {

  private static final Path SCENE = Path.of("../images/scene-01.png");

  private static String printed(Runnable program) {
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      program.run();
    } finally {
      System.setOut(before);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void asks() {
    String out = printed(() -> Ask.main(new String[] {SCENE.toString()}));
    assertThat(out).contains("576 -> 288").containsPattern("(?m)^\\d+ FLOPs$");
  }

  @Test
  void chats() {
    String out = printed(() -> Chat.main(new String[] {SCENE.toString()}));
    assertThat(out)
        .containsPattern(
            "(?m)^.+ \\((STOP|LENGTH|STOP_STRING), TokenUsage\\[text=\\d+, visual=576, visualKept=288, ");
    assertThat(out.lines()).hasSize(6);
    List<String> lines = out.lines().toList();
    assertThat(lines.get(0)).startsWith(lines.get(1) + " (");
    assertThat(lines.get(2)).isEqualTo(lines.get(4));
  }

  @Test
  void aStrategyOfAnotherJarIsFoundByItsName() {
    assertThat(Strategies.parse("longest-values:k=3,tokens=10").spec())
        .isEqualTo("longest-values:k=3,tokens=10");
    try (Squint squint = Squint.load()) {
      Answer answer =
          squint.ask(SCENE, "how many objects are there?", "longest-values:k=2,tokens=40");
      assertThat(answer.trace().sites())
          .singleElement()
          .satisfies(
              site -> {
                assertThat(site.keptOriginal()).hasSize(40);
                assertThat(site.observed()).containsExactly("lengths of values in decoder layer 1");
              });
    }
    assertThat(Strategies.parse("longest-values")).isInstanceOf(LongestValues.class);
  }

  @Test
  void splits(@TempDir Path folder) {
    String out =
        printed(
            () ->
                Split.main(
                    new String[] {
                      "../../models/tiny/src/main/resources/squint-tiny",
                      folder.resolve("parts").toString()
                    }));
    assertThat(Path.of(out.strip())).isRegularFile();
    assertThat(folder.resolve("parts/segment-01.onnx")).isRegularFile();
  }
}

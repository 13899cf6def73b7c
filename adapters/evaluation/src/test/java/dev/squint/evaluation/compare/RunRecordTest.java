package dev.squint.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunRecordTest {

  @TempDir private Path folder;

  private static RunRecord record(String data, String dataHash, String metric, long seed) {
    return new RunRecord("tiny", "model", data, dataHash, List.of(metric), seed, 16, "");
  }

  @Test
  void aRenamedFolderOfTheSameQuestionsGoesOn() {
    record("test", "same", "anls", 0).claim(folder);
    assertThatCode(() -> record("docvqa/test", "same", "anls", 0).claim(folder))
        .doesNotThrowAnyException();
  }

  @Test
  void metricsInAnotherOrderGoOn() {
    new RunRecord("tiny", "model", "d", "same", List.of("cider", "rouge_l"), 0, 16, "")
        .claim(folder);
    assertThatCode(
            () ->
                new RunRecord("tiny", "model", "d", "same", List.of("rouge_l", "cider"), 0, 16, "")
                    .claim(folder))
        .doesNotThrowAnyException();
  }

  @Test
  void aDamagedRecordAndAFileAreNamedWithTheMend() throws IOException {
    Path damaged = Files.createDirectory(folder.resolve("damaged"));
    Files.writeString(damaged.resolve("run.json"), "{\"model\": \"ti");
    assertThatThrownBy(() -> record("test", "same", "anls", 0).claim(damaged))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "%s is damaged; delete its folder or choose another output"
                .formatted(damaged.resolve("run.json")));
    Files.writeString(damaged.resolve("run.json"), "{}");
    assertThatThrownBy(() -> record("test", "same", "anls", 0).claim(damaged))
        .hasMessageContaining("is damaged; delete its folder");
    for (String text :
        List.of(
            "null",
            "[]",
            "{\"modelHash\":\"a\",\"dataHash\":\"b\",\"metrics\":[null]}",
            "{\"seed\":99999999999999999999}",
            "[".repeat(100_000))) {
      Files.writeString(damaged.resolve("run.json"), text);
      assertThatThrownBy(() -> record("test", "same", "anls", 0).claim(damaged))
          .isInstanceOf(DataException.class)
          .hasMessageContaining("is damaged; delete its folder");
    }
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThatThrownBy(() -> record("test", "same", "anls", 0).claim(file))
        .hasMessage("output '%s' is no folder; name one that is new or empty".formatted(file));
    assertThatThrownBy(() -> record("test", "same", "anls", 0).claim(Path.of("")))
        .hasMessageContaining("output '' is no folder");
  }

  @Test
  void aStartThatWasKilledLeavesTheFolderUsable() throws IOException {
    Files.writeString(folder.resolve(".run.json.5d0c"), "{\"mod");
    assertThatCode(() -> record("test", "same", "anls", 0).claim(folder))
        .doesNotThrowAnyException();
  }

  @Test
  void allThatDiffersIsNamed() {
    record("test", "same", "anls", 0).claim(folder);
    assertThatThrownBy(() -> record("test", "other", "cider", 7).claim(folder))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("(data test, metric anls, seed 0 differs)");
  }

  @Test
  void questionsPutOtherwiseAreAnotherRun() throws IOException {
    RunRecord bare = record("test", "same", "anls", 0);
    RunRecord suffixed =
        new RunRecord("tiny", "model", "test", "same", List.of("anls"), 0, 16, "In a word.");
    Path asked = folder.resolve("asked");
    suffixed.claim(asked);
    suffixed.claim(asked);
    assertThatThrownBy(() -> bare.claim(asked))
        .hasMessageContaining("(prompt suffix 'In a word.' differs)");
    Path old = Files.createDirectory(folder.resolve("old"));
    Files.writeString(
        old.resolve("run.json"),
        "{\"model\":\"tiny\",\"modelHash\":\"model\",\"data\":\"test\",\"dataHash\":\"same\",\"metrics\":[\"anls\"],\"seed\":0,\"maxNewTokens\":16}");
    bare.claim(old);
    assertThatThrownBy(() -> suffixed.claim(old))
        .hasMessageContaining("(prompt suffix none differs)");
  }

  @Test
  void aFolderWithOtherThingsIsLeftAlone() throws IOException {
    Files.writeString(folder.resolve("thesis.tex"), "work of years");
    assertThatThrownBy(() -> record("test", "same", "anls", 0).claim(folder))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("other things in it");
    assertThat(folder.toFile().list()).containsExactly("thesis.tex");
  }
}

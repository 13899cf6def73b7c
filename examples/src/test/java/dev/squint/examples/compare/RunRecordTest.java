package dev.squint.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.adapters.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunRecordTest {

  @TempDir private Path folder;

  private static RunRecord record(String data, String dataHash, String metric, long seed) {
    return new RunRecord("tiny", "model", data, dataHash, List.of(metric), seed, 16);
  }

  @Test
  void aRenamedFolderOfTheSameQuestionsGoesOn() {
    record("test", "same", "anls", 0).claim(folder);
    assertThatCode(() -> record("docvqa/test", "same", "anls", 0).claim(folder))
        .doesNotThrowAnyException();
  }

  @Test
  void allThatDiffersIsNamed() {
    record("test", "same", "anls", 0).claim(folder);
    assertThatThrownBy(() -> record("test", "other", "cider", 7).claim(folder))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("(data test, metric anls, --seed 0 differs)");
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

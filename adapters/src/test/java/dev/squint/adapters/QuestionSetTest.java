package dev.squint.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.adapters.QuestionSet.Question;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuestionSetTest {

  @TempDir Path folder;

  private QuestionSet read(String rows) throws IOException {
    Files.writeString(folder.resolve("questions.json"), rows);
    return QuestionSet.read(folder);
  }

  @Test
  void readsBothLayouts() throws IOException {
    Path image = folder.resolve("images").resolve("7.png");
    assertThat(read("[[\"what?\", \"red\", 7], [\"how many?\", \"2\", 7, \"count\"]]").questions())
        .containsExactly(
            new Question("what?", "red", image), new Question("how many?", "2", image));
  }

  @Test
  void drawsTheSameForASeed() throws IOException {
    QuestionSet all =
        read("[[\"a\",\"\",0],[\"b\",\"\",0],[\"c\",\"\",0],[\"d\",\"\",0],[\"e\",\"\",0]]");
    assertThatThrownBy(() -> all.drawn(3, 1))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("no such picture");
    Files.createDirectories(folder.resolve("images"));
    Files.createFile(folder.resolve("images").resolve("0.png"));
    assertThat(all.drawn(3, 1)).isEqualTo(all.drawn(3, 1));
    assertThat(all.drawn(3, 1).questions()).hasSize(3).doesNotHaveDuplicates();
    assertThat(all.drawn(5, 1).questions())
        .isNotEqualTo(all.drawn(5, 2).questions())
        .containsExactlyInAnyOrderElementsOf(all.questions());
    assertThat(all.drawn(99, 1).questions()).hasSize(5);
  }

  @Test
  void aRightAnswerMayDifferInCaseAndFullStop() {
    Question question = new Question("what?", "Red", folder);
    assertThat(question.isAnsweredBy(" red. ")).isTrue();
    assertThat(question.isAnsweredBy("dark red")).isFalse();
    assertThat(question.isAnsweredBy("")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "[1]",
        "[[\"a\", \"b\"]]",
        "[[\"a\", \"b\", \"0\"]]",
        "[[\" \", \"b\", 0]]",
        "[[\"a\", \"b\", 0.5]]",
        "[[\"a\", \"b\", 0, \"c\", 1]]",
        "[[",
        ""
      })
  void otherLayoutsAreRefusedInOneSentence(String rows) {
    assertThatThrownBy(() -> read(rows))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("questions.json")
        .hasMessageEndingWith("as easy-VQA has them");
  }

  @Test
  void aFolderWithoutQuestionsIsRefused() {
    assertThatThrownBy(() -> QuestionSet.read(folder.resolve("none")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("holds no questions.json");
  }
}

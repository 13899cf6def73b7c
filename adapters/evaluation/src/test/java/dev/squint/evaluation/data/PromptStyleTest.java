package dev.squint.evaluation.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.Squint;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PromptStyleTest {

  private static final String LETTER =
      "Answer with the option's letter from the given choices directly.";

  private static Sample sample(String question, String... choices) {
    return new Sample(
        "1",
        new MediaSource.ImageFile(Path.of("1.png")),
        question,
        List.of("A"),
        List.of(choices),
        "type");
  }

  private static DataSet set(Task task, Sample sample) {
    return new DataSet("set", "JSON", task, List.of(sample), List.of(), "hash");
  }

  private static String asked(String option, boolean bare, Task task, Sample sample) {
    DataSet put = PromptStyle.parse(option, bare).applied(set(task, sample));
    assertThat(put.hash()).isEqualTo("hash");
    return put.samples().get(0).question();
  }

  @ParameterizedTest
  @CsvSource({"SHORT_ANSWER", "VQA", "YES_NO"})
  void shortAnswersAreAskedForAsLmmsEvalDoes(Task task) {
    String question = "what is it?";
    assertThat(asked("auto", false, task, sample(question)))
        .isEqualTo("what is it?\nAnswer the question using a single word or phrase.");
    assertThat(asked("auto", true, task, sample(question))).isEqualTo(question);
    assertThat(asked("None", false, task, sample(question))).isEqualTo(question);
    assertThat(asked(" one word! ", true, task, sample(question)))
        .isEqualTo("what is it?\none word!");
  }

  @Test
  void choicesAreAskedForTheirLetter() {
    Sample sample = sample("Which?\nA. red\nB. blue", "red", "blue");
    assertThat(asked("auto", false, Task.MULTIPLE_CHOICE, sample))
        .isEqualTo("Which?\nA. red\nB. blue\n" + LETTER);
    assertThat(asked("none", false, Task.MULTIPLE_CHOICE, sample)).isEqualTo(sample.question());
  }

  @Test
  void captionsAreAskedForUnlessTheDataAsksItself() {
    assertThat(asked("auto", false, Task.CAPTION, sample(Squint.CAPTION_PROMPT)))
        .isEqualTo("Provide a one-sentence caption for the provided image.");
    assertThat(asked("auto", true, Task.CAPTION, sample(Squint.CAPTION_PROMPT)))
        .isEqualTo(Squint.CAPTION_PROMPT);
    assertThat(asked("auto", false, Task.CAPTION, sample("What happens here?")))
        .isEqualTo("What happens here?");
  }
}

package dev.squint.evaluation.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads a small example of each format, laid out as the official files are. */
class LayoutsTest {

  private static DataSet read(String name) throws URISyntaxException {
    return DataSets.read(Path.of(LayoutsTest.class.getResource("/data/" + name).toURI()));
  }

  private static List<String> skipped(DataSet data) {
    return data.skipped().stream().map(skip -> skip.record() + ": " + skip.reason()).toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "easy-vqa       | easy-VQA       | SHORT_ANSWER    | 0 1               | - -",
        "vqav2          | VQAv2          | VQA             | 42000 42001       | other yes/no",
        "gqa            | GQA            | SHORT_ANSWER    | 201307251         | verify",
        "textvqa        | TextVQA        | VQA             | 34602             | -",
        "scienceqa      | ScienceQA      | MULTIPLE_CHOICE | 1                 | natural science",
        "coco-captions  | COCO captions  | CAPTION         | 391895            | -",
        "jsonl          | JSON lines     | SHORT_ANSWER    | a 3               | color -",
        "csv            | CSV            | MULTIPLE_CHOICE | 2 3               | color color",
        "vlmevalkit     | VLMEvalKit TSV | MULTIPLE_CHOICE | 7 8 9             | color color shape",
        "vlmevalkit-vqa | VLMEvalKit TSV | VQA             | 1 2               | - -",
        "vlmevalkit-captions | VLMEvalKit TSV | CAPTION    | 1 2               | - -"
      })
  void isDetectedAndRead(String folder, String format, Task task, String ids, String types)
      throws URISyntaxException {
    DataSet data = read(folder);
    assertThat(data.format()).isEqualTo(format);
    assertThat(data.task()).isEqualTo(task);
    assertThat(data.samples()).extracting(Sample::id).containsExactly(ids.split(" "));
    String seen = String.join(" ", data.samples().stream().map(LayoutsTest::type).toList());
    assertThat(seen).isEqualTo(types);
  }

  private static String type(Sample sample) {
    return sample.type().isEmpty() ? "-" : sample.type();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "easy-vqa      | 2: a row has a question, an answer, an image number and maybe a type",
        "vqav2         | 73000: no annotation has this question_id",
        "gqa           | 201640614: there is no answer",
        "textvqa       | 34602: another record has the same id; 34603: image_id is missing",
        "pope          | random line 3: it is no JSON object; random line 4: its label is neither yes nor no",
        "scienceqa     | 2: there is no image; 3: answer 2 is none of its 2 choices; 5: answer has to be the number of a choice",
        "coco-captions | annotation 2: it has no caption, or no image has its image_id; 522418: there is no answer",
        "jsonl         | line 1: it is no JSON object; a: another record has the same id; l: there is no answer",
        "csv           | 4: answer 'C' is none of its 2 choices; row 5: it has 8 cells and the header 7; put cells with a comma in quotes; 6: other records have choices, and this one has none",
        "vlmevalkit-captions | 3: there is no answer",
        "vlmevalkit    | 10: answer 'D' is none of its 2 choices; 11: no row has the image 99"
      })
  void brokenRecordsAreCounted(String folder, String reasons) throws URISyntaxException {
    assertThat(String.join("; ", skipped(read(folder)))).isEqualTo(reasons);
  }

  @ParameterizedTest
  @CsvSource({"pope,6", "pope/coco_pope_random.json,2"})
  void popeIsOneSetOrOneFile(String source, int questions) throws URISyntaxException {
    DataSet data = read(source);
    assertThat(data.format()).isEqualTo("POPE");
    assertThat(data.task()).isEqualTo(Task.YES_NO);
    assertThat(data.samples()).hasSize(questions);
    assertThat(data.samples().get(questions - 1).type()).isEqualTo("random");
  }

  @Test
  void imagesOfTsvRowsAreHeldOnce() throws URISyntaxException {
    List<Sample> samples = read("vlmevalkit").samples();
    assertThat(samples.get(0).medium()).isSameAs(samples.get(1).medium());
    assertThat(samples.get(2).medium()).isSameAs(samples.get(1).medium());
  }

  @Test
  void answersOfChoicesAreLetters() throws URISyntaxException {
    assertThat(read("csv").samples())
        .extracting(sample -> sample.answers().get(0))
        .containsExactly("B", "B");
  }

  @Test
  void captionsOfTsvRowsAreAskedForAsCaptions() throws URISyntaxException {
    List<Sample> samples = read("vlmevalkit-captions").samples();
    assertThat(samples).extracting(Sample::question).containsOnly("describe the picture.");
    assertThat(samples.get(0).answers())
        .containsExactly("A man rides a bike.", "It's a red bike's rider.");
  }

  @Test
  void listsOfTextsAreAnswersAndOthersAreNot() throws URISyntaxException {
    assertThat(read("vlmevalkit-vqa").samples())
        .extracting(Sample::answers)
        .containsExactly(List.of("red", "it's red"), List.of("[1, 2]"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "annotations/val2017/p.jpg",
        "val2017/p.jpg",
        "images/val2017/p.jpg",
        "Images/mscoco/val2014/p.jpg"
      })
  void imagesOfCocoAreFoundWhereCocoLies(String image, @TempDir Path folder) throws IOException {
    Path captions = folder.resolve("annotations/captions.json");
    Files.createDirectories(captions.getParent());
    Files.writeString(
        captions,
        "{\"images\":[{\"id\":9,\"file_name\":\"p.jpg\"}],"
            + "\"annotations\":[{\"image_id\":9,\"caption\":\"A cup.\"}]}");
    Path file = folder.resolve(image);
    Files.createDirectories(file.getParent());
    Files.createFile(file);
    assertThat(DataSets.read(captions).samples().get(0).medium())
        .isEqualTo(new MediaSource.ImageFile(file));
  }
}

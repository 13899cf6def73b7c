package dev.squint.evaluation.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.DataException;
import dev.squint.Squint;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataSetsTest {

  private static final String TEN =
      "[" + "{\"answer\":\"red\"},".repeat(9) + "{\"answer\":\"dark red\"}]";

  @TempDir private Path folder;

  private Path write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private static Path image(Sample sample) {
    return ((MediaSource.ImageFile) sample.medium()).file();
  }

  @Test
  void readsEasyVqa() throws IOException {
    write("questions.json", "[[\"what shape?\",\"circle\",3],[\"how many?\",\"2\",4,\"count\"]]");
    DataSet data = DataSets.read(folder);
    assertThat(data.format()).isEqualTo("easy-VQA");
    assertThat(data.task()).isEqualTo(Task.SHORT_ANSWER);
    assertThat(data.samples()).extracting(Sample::id).containsExactly("0", "1");
    assertThat(data.samples()).extracting(Sample::type).containsExactly("", "count");
    assertThat(image(data.samples().get(0))).endsWithRaw(Path.of("images", "3.png"));
  }

  @Test
  void aFolderNamedAfterASplitIsNamedWithItsParent() throws IOException {
    String questions = "[[\"what shape?\",\"circle\",3]]";
    Path file = write("easy-vqa/test/questions.json", questions);
    assertThat(DataSets.read(file.getParent()).name()).isEqualTo("easy-vqa/test");
    assertThat(DataSets.read(file).name()).isEqualTo("questions.json");
    assertThat(DataSets.read(write("mine/questions.json", questions).getParent()).name())
        .isEqualTo("mine");
  }

  @Test
  void captionsOfScenesAreCaptions() throws IOException {
    Path file = write("captions.json", "[[\"describe the image.\",\"a dog.\",0,\"caption\"]]");
    assertThat(DataSets.read(file).task()).isEqualTo(Task.CAPTION);
  }

  @Test
  void readsVqaV2FromItsTwoFiles() throws IOException {
    write(
        "v2_questions.json",
        "{\"info\":{},\"questions\":[{\"image_id\":42,\"question\":\"what color?\",\"question_id\":420},"
            + "{\"image_id\":43,\"question\":\"where?\",\"question_id\":430}]}");
    Path annotations =
        write(
            "v2_annotations.json",
            "{\"info\":{},\"annotations\":[{\"question_id\":420,\"answer_type\":\"other\",\"answers\":"
                + TEN
                + "}]}");
    write("val2014/COCO_val2014_000000000042.jpg", "");
    for (Path given : List.of(folder, annotations, folder.resolve("v2_questions.json"))) {
      DataSet data = DataSets.read(given);
      assertThat(data.format()).isEqualTo("VQAv2");
      assertThat(data.task()).isEqualTo(Task.VQA);
      assertThat(data.samples()).hasSize(1);
      Sample sample = data.samples().get(0);
      assertThat(sample.id()).isEqualTo("420");
      assertThat(sample.answers()).hasSize(10).contains("dark red");
      assertThat(sample.type()).isEqualTo("other");
      assertThat(image(sample)).exists();
      assertThat(data.skipped())
          .containsExactly(new DataSet.SkippedRecord("430", "no annotation has this question_id"));
    }
  }

  @Test
  void annotationsOfNoQuestionAreCounted() throws IOException {
    write(
        "q.json",
        "{\"questions\":[{\"image_id\":42,\"question\":\"what color?\",\"question_id\":420}]}");
    String answered = "{\"question_id\":%d,\"answer_type\":\"other\",\"answers\":" + TEN + "}";
    write(
        "a.json",
        "{\"annotations\":[%s,%s,%s]}"
            .formatted(answered.formatted(420), answered.formatted(7), answered.formatted(8)));
    DataSet data = DataSets.read(folder);
    assertThat(data.samples()).hasSize(1);
    assertThat(data.skipped())
        .containsExactly(new DataSet.SkippedRecord("annotations", "2 of them answer no question"));
  }

  @Test
  void vqaQuestionsWithoutAnnotationsAreRefused() throws IOException {
    write(
        "q.json",
        "{\"questions\":[{\"image_id\":42,\"question\":\"what color?\",\"question_id\":420}]}");
    assertThatThrownBy(() -> DataSets.read(folder))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(
            "needs exactly one file of VQA annotations next to it, and there are 0; put it there");
  }

  @Test
  void readsGqa() throws IOException {
    write(
        "testdev.json",
        "{\"7\":{\"question\":\"is it red?\",\"imageId\":\"n1\",\"answer\":\"yes\","
            + "\"types\":{\"structural\":\"verify\"}},\"8\":{\"question\":\"is it?\",\"imageId\":\"n1\"}}");
    DataSet data = DataSets.read(folder);
    assertThat(data.format()).isEqualTo("GQA");
    assertThat(data.samples().get(0).type()).isEqualTo("verify");
    assertThat(image(data.samples().get(0))).endsWithRaw(Path.of("images", "n1.jpg"));
    assertThat(data.skipped())
        .containsExactly(new DataSet.SkippedRecord("8", "there is no answer"));
  }

  @Test
  void readsTextVqa() throws IOException {
    write("train_images/a.jpg", "");
    write(
        "val.json",
        "{\"dataset_type\":\"val\",\"data\":[{\"question\":\"what brand?\",\"image_id\":\"a\","
            + "\"question_id\":5,\"answers\":[\"nokia\",\"nokia\",\"none\"]}]}");
    DataSet data = DataSets.read(folder);
    assertThat(data.format()).isEqualTo("TextVQA");
    assertThat(data.task()).isEqualTo(Task.VQA);
    assertThat(data.samples().get(0).answers()).containsExactly("nokia", "nokia", "none");
    assertThat(image(data.samples().get(0))).exists();
  }

  @Test
  void idsOfImagesMayBeTheirFiles() throws IOException {
    write("images/a.jpg", "");
    Path text =
        write(
            "textvqa.json",
            "{\"data\":[{\"question\":\"what brand?\",\"image_id\":\"a.jpg\",\"answers\":[\"nokia\"]}]}");
    Path gqa =
        write(
            "gqa.json",
            "{\"7\":{\"question\":\"is it?\",\"imageId\":\"a.jpg\",\"answer\":\"yes\"}}");
    for (Path file : List.of(text, gqa)) {
      assertThat(image(DataSets.read(file).samples().get(0))).exists();
    }
  }

  @Test
  void readsThePopeFilesOfAFolderAsOne() throws IOException {
    String line =
        "{\"question_id\":1,\"image\":\"x.jpg\",\"text\":\"Is there a dog?\",\"label\":\"no\"}\n";
    write("coco_pope_random.json", line);
    write(
        "coco_pope_popular.json",
        line + "{\"question_id\":2,\"image\":\"x.jpg\",\"text\":\"?\"}\n");
    DataSet data = DataSets.read(folder);
    assertThat(data.format()).isEqualTo("POPE");
    assertThat(data.task()).isEqualTo(Task.YES_NO);
    assertThat(data.samples()).extracting(Sample::type).containsExactly("popular", "random");
    assertThat(data.skipped()).hasSize(1);
    assertThat(DataSets.read(folder.resolve("coco_pope_random.json")).samples()).hasSize(1);
  }

  @Test
  void readsScienceQaAndItsTestSplit() throws IOException {
    write(
        "problems.json",
        "{\"1\":{\"question\":\"Which?\",\"choices\":[\"red\",\"blue\"],\"answer\":1,\"hint\":\"Look.\","
            + "\"image\":\"image.png\",\"split\":\"test\",\"subject\":\"natural science\"},"
            + "\"2\":{\"question\":\"Which?\",\"choices\":[\"red\"],\"answer\":0,\"image\":null},"
            + "\"3\":{\"question\":\"Which?\",\"choices\":[\"red\"],\"answer\":4,\"image\":\"image.png\"},"
            + "\"4\":{\"question\":\"Which?\",\"choices\":[\"red\"],\"answer\":0,\"image\":\"image.png\"}}");
    write("pid_splits.json", "{\"train\":[\"4\"],\"test\":[\"1\",\"2\",\"3\"]}");
    write("images/test/1/image.png", "");
    DataSet data = DataSets.read(folder);
    assertThat(data.format()).isEqualTo("ScienceQA");
    assertThat(data.task()).isEqualTo(Task.MULTIPLE_CHOICE);
    Sample sample = data.samples().get(0);
    assertThat(data.samples()).hasSize(1);
    assertThat(sample.question()).isEqualTo("Context: Look.\nWhich?\nA. red\nB. blue");
    assertThat(sample.answers()).containsExactly("B");
    assertThat(image(sample)).exists();
    assertThat(data.skipped())
        .containsExactly(
            new DataSet.SkippedRecord("2", "there is no image"),
            new DataSet.SkippedRecord("3", "answer 4 is none of its 1 choices"));
  }

  @Test
  void readsCocoCaptions() throws IOException {
    write(
        "captions_val2014.json",
        "{\"info\":{},\"images\":[{\"id\":9,\"file_name\":\"p.jpg\"},{\"id\":10,\"file_name\":\"q.jpg\"}],"
            + "\"annotations\":[{\"image_id\":9,\"id\":1,\"caption\":\"A dog.\"},"
            + "{\"image_id\":9,\"id\":2,\"caption\":\"One dog.\"},{\"image_id\":77,\"id\":3,\"caption\":\"x\"}]}");
    DataSet data = DataSets.read(folder);
    assertThat(data.format()).isEqualTo("COCO captions");
    assertThat(data.task()).isEqualTo(Task.CAPTION);
    assertThat(data.samples()).hasSize(1);
    assertThat(data.samples().get(0).answers()).containsExactly("A dog.", "One dog.");
    assertThat(data.samples().get(0).question()).isEqualTo(Squint.CAPTION_PROMPT);
    assertThat(data.skipped()).hasSize(2);
  }

  @Test
  void readsJsonLinesWithEveryKindOfRecord() throws IOException {
    Path file =
        write(
            "mine.jsonl",
            "\uFEFF{\"image\":\"a.png\",\"question\":\"what?\",\"answer\":\"é\",\"type\":\"t\"}\r\n"
                + "\r\n"
                + "{\"id\":\"x\",\"video\":\"v.mp4\",\"question\":\"what?\",\"answers\":[\"a\",\"b\"]}\r\n"
                + "not json\r\n"
                + "{\"question\":\"what?\",\"answer\":\"a\"}\r\n"
                + "{\"id\":\"x\",\"image\":\"a.png\",\"question\":\"what?\",\"answer\":\"a\"}\r\n"
                + "{\"image\":\"a.png\",\"question\":\" \",\"answer\":\"a\"}\r\n"
                + "{\"image\":\"sub\\\\a.png\",\"question\":\"what?\",\"answer\":\"a\"}");
    DataSet data = DataSets.read(file);
    assertThat(data.format()).isEqualTo("JSON lines");
    assertThat(data.task()).isEqualTo(Task.VQA);
    assertThat(data.samples()).extracting(Sample::id).containsExactly("1", "x", "8");
    assertThat(data.samples().get(0).answers()).containsExactly("é");
    assertThat(data.samples().get(1).medium()).isInstanceOf(MediaSource.VideoFile.class);
    assertThat(image(data.samples().get(2)).toString()).contains("sub").doesNotContain("\\\\");
    assertThat(data.skipped())
        .containsExactly(
            new DataSet.SkippedRecord("line 4", "it is no JSON object"),
            new DataSet.SkippedRecord("5", "it names no image and no video"),
            new DataSet.SkippedRecord("x", "another record has the same id"),
            new DataSet.SkippedRecord("7", "the question is empty"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"choices\":[\"red\",\"blue\"]",
        "\"choices\":{\"A\":\"red\",\"B\":\"blue\"}",
        "\"choices\":\"['red', 'blue']\"",
        "\"options\":[\"red\",\"blue\"]",
        "\"choices\":null,\"options\":[\"red\",\"blue\"]",
        "\"choices\":{\"A\":\"red\",\"B\":\"blue\",\"C\":null}",
        "\"A\":\"red\",\"B\":\"blue\"",
        "\"A\":\"red\",\"B\":\"blue\",\"C\":null,\"D\":null",
        "\"A\":\"red\",\"B\":\"blue\",\"C\":NaN,\"choices\":NaN",
        "\"A\":\"red\",\"B\":\"blue\",\"C\":\"\""
      })
  void readsChoicesAsTheyAreWritten(String choices) throws IOException {
    Path file =
        write(
            "mine.jsonl",
            "{\"image\":\"a.png\",\"question\":\"which?\",\"answer\":\"B\"," + choices + "}");
    DataSet data = DataSets.read(file);
    assertThat(data.task()).isEqualTo(Task.MULTIPLE_CHOICE);
    assertThat(data.samples().get(0).choices()).containsExactly("red", "blue");
  }

  @Test
  void aNumberIsThePlaceOfAChoiceUnlessTheChoicesAreNumbers() throws IOException {
    Path file =
        write(
            "mine.jsonl",
            """
            {"id":"a","image":"a.png","question":"how many?","answer":1,"choices":["1","2","3"]}
            {"id":"b","image":"a.png","question":"how many?","answer":"1","choices":["1","2","3"]}
            {"id":"c","image":"a.png","question":"how many?","answer":1,"choices":[1,2,3]}
            {"id":"d","image":"a.png","question":"how many?","answer":3,"choices":["1","2","3"]}
            """);
    DataSet data = DataSets.read(file);
    assertThat(data.samples())
        .extracting(sample -> sample.answers().get(0))
        .containsExactly("B", "A", "A");
    assertThat(data.skipped())
        .containsExactly(new DataSet.SkippedRecord("d", "answer '3' is none of its 3 choices"));
  }

  @Test
  void choicesThatCannotBeReadAreCounted() throws IOException {
    Path file =
        write(
            "mine.jsonl",
            """
            {"image":"a.png","question":"which?","answer":"A","choices":["red","blue"]}
            {"image":"a.png","question":"which?","answer":"1","choices":{"1":"red","2":"blue"}}
            {"image":"a.png","question":"which?","answer":"A","choices":[["red"],["blue"]]}
            """);
    DataSet data = DataSets.read(file);
    assertThat(data.samples()).extracting(Sample::id).containsExactly("1");
    assertThat(data.skipped())
        .extracting(DataSet.SkippedRecord::reason)
        .hasSize(2)
        .containsOnly("choices has to be a list of texts, or of texts by A, B and so on");
  }

  @Test
  void readsAnArrayOfRecords() throws IOException {
    Path file =
        write(
            "val.json",
            """
            [
              {
                "image": "a.png",
                "question": "what?",
                "answers": [{"answer": "cup"}, {"answer": "mug"}]
              },
              7,
              {
                "image": "a.png",
                "question": "what?"
              }
            ]
            """);
    DataSet data = DataSets.read(file);
    assertThat(data.format()).isEqualTo("JSON");
    assertThat(data.task()).isEqualTo(Task.VQA);
    assertThat(data.samples()).extracting(Sample::id).containsExactly("0");
    assertThat(data.skipped())
        .containsExactly(
            new DataSet.SkippedRecord("1", "it is no JSON object"),
            new DataSet.SkippedRecord("2", "there is no answer"));
  }

  @Test
  void readsCsvWithChoices() throws IOException {
    Path file =
        write(
            "mine.csv",
            "image,question,answer,a,B,category\r\n\"a,1.png\",\"which,\"\"one\"\"?\",B,red,blue,color\r\n");
    DataSet data = DataSets.read(file);
    assertThat(data.format()).isEqualTo("CSV");
    assertThat(data.task()).isEqualTo(Task.MULTIPLE_CHOICE);
    assertThat(data.samples().get(0).choices()).containsExactly("red", "blue");
    assertThat(data.samples().get(0).question()).isEqualTo("which,\"one\"?\nA. red\nB. blue");
    assertThat(data.samples().get(0).type()).isEqualTo("color");
  }

  @Test
  void readsCsvWithSemicolonsAsExcelWritesIt() throws IOException {
    Path file =
        write(
            "mine.csv",
            "\uFEFFimage;question;answer\r\na.png;\"what, where?\";1,5\r\na.png;what;where;a\r\n");
    DataSet data = DataSets.read(file);
    assertThat(data.format()).isEqualTo("CSV");
    assertThat(data.samples().get(0).question()).isEqualTo("what, where?");
    assertThat(data.samples().get(0).answers()).containsExactly("1,5");
    assertThat(data.skipped())
        .containsExactly(
            new DataSet.SkippedRecord(
                "row 3", "it has 4 cells and the header 3; put cells with a semicolon in quotes"));
  }

  @Test
  void csvKeepsSeveralAnswersApart() throws IOException {
    DataSet data =
        DataSets.read(write("mine.csv", "image,question,answers\na.png,what?,red|dark red\n"));
    assertThat(data.task()).isEqualTo(Task.VQA);
    assertThat(data.samples().get(0).answers()).containsExactly("red", "dark red");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"answers\":[{\"answer\":\"red\",\"answer_id\":1},{\"answer\":\"2\"}]",
        "\"answers\":null,\"answer\":[\"red\",2]",
        "\"answers\":[],\"answer\":[\"red\",2]",
        "\"answers\":NaN,\"answer\":[\"red\",2],\"id\":NaN"
      })
  void readsAnswersAsTheyAreWritten(String answers) throws IOException {
    Path file =
        write("mine.jsonl", "{\"image\":\"a.png\",\"question\":\"which?\"," + answers + "}");
    assertThat(DataSets.read(file).samples().get(0).answers()).containsExactly("red", "2");
  }

  @Test
  void csvTakesListsThatPandasWrote() throws IOException {
    DataSet data =
        DataSets.read(
            write(
                "mine.csv",
                """
                image,question,answer,answers
                a.png,what?,"['red', ""it's red""]",
                a.png,what?,,"[{'answer': 'red', 'answer_id': 1}, {'answer': ""it's red""}]"
                """));
    assertThat(data.samples())
        .extracting(Sample::answers)
        .containsOnly(List.of("red", "it's red"))
        .hasSize(2);
  }

  @Test
  void answersThatAreAllYesOrNoAreScoredAsPopeDoes() throws IOException {
    DataSet lines =
        DataSets.read(
            write(
                "mine.jsonl",
                """
                {"image":"a.png","question":"is there a dog?","answer":"Yes"}
                {"image":"a.png","question":"is there a cat?","answer":"no"}
                """));
    assertThat(lines.task()).isEqualTo(Task.YES_NO);
    Path tsv =
        write(
            "POPE.tsv",
            "index\timage_path\tquestion\tanswer\tcategory\n"
                + "0\ta.png\tis there a dog?\tYes\tpopular\n"
                + "1\ta.png\tis there a cat?\tNo\tpopular\n");
    DataSet data = DataSets.read(tsv);
    assertThat(data.format()).isEqualTo("VLMEvalKit TSV");
    assertThat(data.task()).isEqualTo(Task.YES_NO);
    Files.writeString(tsv, "2\ta.png\thow many?\t2\tpopular\n", StandardOpenOption.APPEND);
    assertThat(DataSets.read(tsv).task()).isEqualTo(Task.SHORT_ANSWER);
  }

  @Test
  void choicesThatAreThereTwiceAreAskedOnce() throws IOException {
    DataSet data =
        DataSets.read(
            write(
                "mine.jsonl",
                "{\"image\":\"a.png\",\"question\":\"q?\",\"options\":[\"red\",\"blue\"],\"A\":\"red\",\"B\":\"blue\",\"answer\":\"B\"}\n"));
    assertThat(data.samples().get(0).choices()).containsExactly("red", "blue");
  }

  @Test
  void arraysTakeWhatPandasWritesForNothing() throws IOException {
    DataSet data =
        DataSets.read(
            write(
                "mine.json",
                "[{\"image\":\"a.png\",\"question\":\"q?\",\"answer\":\"red\",\"hint\":NaN}]"));
    assertThat(data.samples()).hasSize(1);
  }

  @Test
  void imagesOfOneIndexStayApart() throws IOException {
    String one = Base64.getEncoder().encodeToString(new byte[100]);
    String other = Base64.getEncoder().encodeToString(new byte[102]);
    DataSet data =
        DataSets.read(
            write(
                "bench.tsv",
                "index\timage\tquestion\tanswer\n5\t%s\tq?\ta\n5\t%s\tq?\ta\n9\t%s\tq?\ta\n"
                    .formatted(one, other, other)));
    assertThat(data.samples()).extracting(sample -> sample.medium().name()).doesNotHaveDuplicates();
  }

  @Test
  void truthValuesAreYesAndNo() throws IOException {
    DataSet data =
        DataSets.read(
            write("mine.jsonl", "{\"image\":\"a.png\",\"question\":\"q?\",\"answer\":true}\n"));
    assertThat(data.samples().get(0).answers()).containsExactly("yes");
    assertThat(data.task()).isEqualTo(Task.YES_NO);
  }

  @Test
  void aImageThatNoFileCanBeIsSaid() throws IOException {
    Path file =
        write(
            "coco_pope_random.json",
            "{\"question_id\":1,\"image\":\"a\\u0000b.png\",\"text\":\"q?\",\"label\":\"no\"}\n");
    assertThatThrownBy(() -> DataSets.read(file))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "%s names an image 'a?b.png', which no file can be called; fix that record"
                .formatted(file));
  }

  @Test
  void readsVlmEvalTsvWithSharedImages() throws IOException {
    String image = Base64.getEncoder().encodeToString(new byte[100]);
    Path file =
        write(
            "bench.tsv",
            "index\timage\tquestion\thint\tA\tB\tanswer\tcategory\n"
                + "0\t"
                + image
                + "\twhich?\t\tred\tblue\tA\tcolor\n"
                + "1\t0\twhich?\tLook.\tred\tblue\tB\tcolor\n"
                + "2\t5\twhich?\t\tred\tblue\tB\tcolor\n");
    DataSet data = DataSets.read(file);
    assertThat(data.format()).isEqualTo("VLMEvalKit TSV");
    assertThat(data.task()).isEqualTo(Task.MULTIPLE_CHOICE);
    assertThat(data.samples()).hasSize(2);
    assertThat(data.samples().get(1).medium()).isSameAs(data.samples().get(0).medium());
    assertThat(((MediaSource.InlineImage) data.samples().get(0).medium()).encoded())
        .isEqualTo(new byte[100]);
    assertThat(data.samples().get(1).question()).startsWith("Context: Look.\n");
    assertThat(data.skipped())
        .containsExactly(new DataSet.SkippedRecord("2", "no row has the image 5"));
  }

  @Test
  void rowsOfVlmEvalTsvWithTooManyCellsAreCounted() throws IOException {
    Path file =
        write(
            "bench.tsv",
            "index\timage_path\tquestion\tanswer\n"
                + "0\ta.png\twhat\tis it?\tcup\n"
                + "1\ta.png\twhat is it?\tcup\n");
    DataSet data = DataSets.read(file);
    assertThat(data.samples()).extracting(Sample::id).containsExactly("1");
    assertThat(data.skipped())
        .containsExactly(
            new DataSet.SkippedRecord(
                "0", "it has 5 cells and the header 4; put cells with a tab in quotes"));
  }

  @Test
  void aListOfOneImageIsAImage() throws IOException {
    String one = "['" + Base64.getEncoder().encodeToString(new byte[100]) + "']";
    String two = one.replace("']", "', 'AAAA']");
    Path file =
        write(
            "MMMU.tsv",
            "index\timage\timage_path\tquestion\tanswer\n"
                + ("0\t" + one + "\t['a.jpg']\twhat?\tcup\n")
                + "1\t\t['a.jpg']\twhat?\tcup\n"
                + ("2\t" + two + "\t['a.jpg', 'b.jpg']\twhat?\tcup\n"));
    DataSet data = DataSets.read(file);
    assertThat(((MediaSource.InlineImage) data.samples().get(0).medium()).encoded())
        .isEqualTo(new byte[100]);
    assertThat(image(data.samples().get(1))).endsWithRaw(Path.of("images", "a.jpg"));
    assertThat(data.skipped())
        .containsExactly(
            new DataSet.SkippedRecord(
                "2", "it has several images, and a question is put about one"));
  }

  @Test
  void imagesOfVlmEvalTsvMayBeFiles() throws IOException {
    String deep = "a_folder_with_a_long_name/".repeat(3) + "deep.jpg";
    write(deep, "");
    write("images/Bench/0.jpg", "");
    Path file =
        write(
            "Bench_local.tsv",
            "index\timage\timage_path\tquestion\tanswer\n"
                + ("0\t" + deep + "\t\twhat?\tcup\n")
                + "1\t0.jpg\t\twhat?\tcup\n"
                + "2\t\t0.jpg\twhat?\tcup\n");
    DataSet data = DataSets.read(file);
    assertThat(data.samples()).hasSize(3).allSatisfy(one -> assertThat(image(one)).exists());
  }

  @Test
  void readsPythonsEscapesInLists() throws IOException {
    Path file =
        write(
            "TextVQA_VAL.tsv",
            "index\timage_path\tquestion\tanswer\n"
                + "0\ta.jpg\twhat?\t['caf\\xe9\\xa0noir', 'a\\\\xe9', 'it\\'s', 'é']\n");
    assertThat(DataSets.read(file).samples().get(0).answers())
        .containsExactly("café\u00a0noir", "a\\xe9", "it's", "é");
  }

  @Test
  void severalSetsInAFolderAreNamed() throws IOException {
    write("a.csv", "image,question,answer\na.png,what?,red\n");
    write("b.jsonl", "{\"image\":\"a.png\",\"question\":\"what?\",\"answer\":\"red\"}");
    assertThatThrownBy(() -> DataSets.read(folder))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("several sets")
        .hasMessageContaining("a.csv")
        .hasMessageContaining("b.jsonl");
  }

  @Test
  void foldersWithinThatHoldQuestionsAreNamed() throws IOException {
    write("test/questions.json", "[[\"what shape?\",\"circle\",3]]");
    write("train/questions.json", "[[\"what shape?\",\"circle\",3]]");
    write("other/broken.json", "{");
    assertThatThrownBy(() -> DataSets.read(folder))
        .isInstanceOf(DataException.class)
        .hasMessageEndingWith(
            "holds no questions itself; give %s or %s"
                .formatted(folder.resolve("test"), folder.resolve("train")));
  }

  @Test
  void whatIsNoDataSetIsRefusedInASentence() throws IOException {
    assertThatThrownBy(() -> DataSets.read(folder.resolve("nowhere")))
        .hasMessageContaining("no such file");
    assertThatThrownBy(() -> DataSets.read(folder)).hasMessageContaining("known are easy-VQA");
    Path broken = write("broken.json", "[[\"what?\",\"a\",0],\n[");
    assertThatThrownBy(() -> DataSets.read(broken))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("is not valid JSON (line 2)");
    Path empty = write("empty.csv", "image,question,answer\n");
    assertThatThrownBy(() -> DataSets.read(empty))
        .hasMessageContaining("looks like CSV but holds no usable question");
    Files.delete(empty);
    Path object = write("broken.json", "{\"a\":1}");
    assertThatThrownBy(() -> DataSets.read(object)).hasMessageContaining("known are easy-VQA");
  }

  @Test
  void textThatIsNotUtf8IsRefusedNotGarbled() throws IOException {
    String rows =
        "image,question,answer\n" + "a.png,what?,red\n".repeat(9000) + "a.png,what?,grün\n";
    for (Charset charset : List.of(StandardCharsets.ISO_8859_1, StandardCharsets.UTF_16)) {
      Path file = write("mine.csv", "");
      Files.writeString(file, rows, charset);
      assertThatThrownBy(() -> DataSets.read(file))
          .isInstanceOf(DataException.class)
          .hasMessageContaining("mine.csv is not UTF-8; save it as UTF-8");
    }
  }

  @Test
  void theHashTellsQuestionsApartAndNotFolders() throws IOException {
    String rows = "[[\"what?\",\"circle\",3]]";
    write("one/questions.json", rows);
    write("two/questions.json", rows);
    write("three/questions.json", rows.replace("circle", "square"));
    String hash = DataSets.read(folder.resolve("one")).hash();
    assertThat(hash).hasSize(64).isEqualTo(DataSets.read(folder.resolve("two")).hash());
    assertThat(DataSets.read(folder.resolve("three")).hash()).isNotEqualTo(hash);
  }

  @Test
  void theHashTellsImagesOfOneNameApartButNotWhereTheyLie() throws IOException {
    String line = "{\"id\":\"1\",\"image\":\"IMAGE\",\"question\":\"what?\",\"answer\":\"a\"}";
    Path one = write("one/a.jsonl", line.replace("IMAGE", "1/image.png"));
    Path found = write("two/a.jsonl", line.replace("IMAGE", "1/image.png"));
    write("two/val2014/1/image.png", "");
    Path windows = write("three/a.jsonl", line.replace("IMAGE", "1\\\\image.png"));
    Path other = write("four/a.jsonl", line.replace("IMAGE", "2/image.png"));
    Path absolute = write("five/a.jsonl", line.replace("IMAGE", "/home/me/image.png"));
    Path elsewhere = write("six/a.jsonl", line.replace("IMAGE", "C:/Users/image.png"));
    String hash = DataSets.read(one).hash();
    assertThat(DataSets.read(found).hash()).isEqualTo(hash);
    assertThat(DataSets.read(windows).hash()).isEqualTo(hash);
    assertThat(DataSets.read(other).hash()).isNotEqualTo(hash);
    assertThat(DataSets.read(absolute).hash()).isEqualTo(DataSets.read(elsewhere).hash());
  }

  @Test
  void filesOfOtherKindsNextToThemAreNoQuestions() throws IOException {
    write("mine.csv", "image,question,answer\na.png,what?,red\n");
    write("results.csv", "name,score\na,1\n");
    write("config.json", "{\"a\":{\"b\":1}}");
    write("torn.json", "{\"a\":");
    write("log.jsonl", "{\"step\":1}\n");
    assertThat(DataSets.read(folder).format()).isEqualTo("CSV");
  }

  @Test
  void contentDecidesNotTheName() throws IOException {
    Path file =
        write("a.json", "{\"image\":\"a.png\",\"question\":\"what?\",\"answer\":\"red\"}\n");
    assertThat(DataSets.read(file).format()).isEqualTo("JSON lines");
    Path tabs = write("b.csv", "image\tquestion\tanswer\na.png\twhat?\tred\n");
    assertThat(DataSets.read(tabs).format()).isEqualTo("TSV");
  }

  @Test
  void vqaSplitsInOneFolderAreToldApart() throws IOException {
    for (String split : List.of("train2014", "val2014", "minival2014")) {
      write(
          "v2_OpenEnded_mscoco_" + split + "_questions.json",
          "{\"questions\":[{\"image_id\":1,\"question\":\"what?\",\"question_id\":1}]}");
      write(
          "v2_mscoco_" + split + "_annotations.json",
          "{\"annotations\":[{\"question_id\":1,\"answers\":[{\"answer\":\"" + split + "\"}]}]}");
    }
    assertThatThrownBy(() -> DataSets.read(folder)).hasMessageContaining("several sets");
    for (String split : List.of("val2014", "minival2014")) {
      for (String name :
          List.of(
              "v2_OpenEnded_mscoco_" + split + "_questions.json",
              "v2_mscoco_" + split + "_annotations.json")) {
        assertThat(DataSets.read(folder.resolve(name)).samples().get(0).answers())
            .containsExactly(split);
      }
    }
  }

  @Test
  void vqaFilesLieInFoldersOfTheirOwn() throws IOException {
    Path questions =
        write(
            "Questions/q.json",
            "{\"questions\":[{\"image_id\":42,\"question\":\"what?\",\"question_id\":1}]}");
    Path annotations =
        write(
            "Annotations/a.json",
            "{\"annotations\":[{\"question_id\":1,\"answers\":" + TEN + "}]}");
    write("Images/mscoco/val2014/COCO_val2014_000000000042.jpg", "");
    for (Path given : List.of(questions, annotations, questions.getParent())) {
      assertThat(image(DataSets.read(given).samples().get(0))).exists();
    }
  }

  @Test
  void aBrokenFirstRecordHidesNoFormat() throws IOException {
    write("questions.json", "[[\"what?\"],[\"what?\",\"circle\",3]]");
    DataSet data = DataSets.read(folder);
    assertThat(data.format()).isEqualTo("easy-VQA");
    assertThat(data.skipped()).hasSize(1);
  }

  @Test
  void theSampleInTheJarHasItsImages() {
    try (SampleData sample = SampleData.open()) {
      DataSet data = sample.read();
      assertThat(data.samples()).hasSize(240);
      assertThat(data.samples()).allMatch(one -> Files.isRegularFile(image(one)));
      assertThat(data.samples()).noneMatch(one -> one.type().isEmpty());
    }
  }
}

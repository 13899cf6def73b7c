package dev.squint.evaluation.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.DataException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images within data sets, and cells as pandas reads them. */
class InlineImagesTest {

  @TempDir Path folder;

  private Path write(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  /** An image of noise; that of 300 pixels a side is longer than what is looked at of a file. */
  private static byte[] image(int side, String format) throws IOException {
    Random random = new Random(side);
    BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < side * side; i++) {
      image.setRGB(i % side, i / side, random.nextInt());
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(image, format, out);
    return out.toByteArray();
  }

  private static byte[] encoded(DataSet data, int sample) {
    return ((MediaSource.InlineImage) data.samples().get(sample).medium()).encoded();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"%s\"",
        "\"data:image/png;base64,%s\"",
        "{\"bytes\": \"%s\", \"path\": null}",
        "{\"url\": \"data:image/png;base64,%s\"}"
      })
  void imagesOfJsonLines(String form) throws IOException {
    for (int side : new int[] {16, 300}) {
      byte[] image = image(side, "png");
      String record =
          "{\"image\": %s, \"question\": \"what is it?\", \"answer\": \"noise\"}"
              .formatted(form.formatted(Base64.getEncoder().encodeToString(image)));
      DataSet lines = DataSets.read(write("a.jsonl", record + "\n" + record + "\n"));
      assertThat(lines.samples()).hasSize(2);
      assertThat(encoded(lines, 1)).isEqualTo(image);
      assertThat(lines.samples().get(1).medium()).isSameAs(lines.samples().get(0).medium());
      assertThat(lines.samples().get(0).medium().name()).startsWith("the image of record 1 (");
      DataSet array = DataSets.read(write("a.json", "[" + record + "]"));
      assertThat(encoded(array, 0)).isEqualTo(image);
    }
  }

  @Test
  void imagesOfCsvAndPope() throws IOException {
    byte[] image = image(16, "jpg");
    String base64 = Base64.getUrlEncoder().withoutPadding().encodeToString(image);
    DataSet csv =
        DataSets.read(write("a.csv", "image,question,answer\n" + base64 + ",what?,noise\n"));
    assertThat(encoded(csv, 0)).isEqualTo(image);
    String line = "{\"image\": \"%s\", \"text\": \"is it?\", \"label\": \"yes\"}\n";
    DataSet pope = DataSets.read(write("p.jsonl", line.formatted(base64)));
    assertThat(pope.format()).isEqualTo("POPE");
    assertThat(encoded(pope, 0)).isEqualTo(image);
  }

  @Test
  void imagesOfVlmEvalTsv() throws IOException {
    byte[] image = image(16, "png");
    String base64 = Base64.getEncoder().encodeToString(image);
    DataSet data =
        DataSets.read(
            write(
                "a.tsv",
                "index\timage\tquestion\tanswer\n"
                    + ("0\tdata:image/x.y;base64," + base64 + "\twhat?\tnoise\n")
                    + ("1\t" + base64.replace('+', '-').replace('/', '_') + "\twhat?\tnoise\n")
                    + ("2\t" + base64.replaceAll("=+$", "") + "\twhat?\tnoise\n")));
    for (int i = 0; i < 3; i++) {
      assertThat(encoded(data, i)).isEqualTo(image);
    }
  }

  @Test
  void whatIsNoBase64IsASentenceWithoutIt() throws IOException {
    String base64 = Base64.getEncoder().encodeToString(image(64, "png"));
    String broken = base64.substring(0, 100) + "!" + base64.substring(101);
    Path file = write("a.tsv", "index\timage\tquestion\tanswer\n7\t" + broken + "\twhat?\tcup\n");
    assertThatThrownBy(() -> encoded(DataSets.read(file), 0))
        .isInstanceOf(DataException.class)
        .hasMessageMatching(
            "the image of row 7 \\(\\w{8}\\): the image is no base64: its character 101 does not"
                + " belong there; encode the image again");
    String good = "{\"image\": \"a.png\", \"question\": \"what?\", \"answer\": \"cup\"}\n";
    String bad = good.replace("a.png", "x".repeat(3000) + ".png");
    assertThat(DataSets.read(write("b.jsonl", good + bad)).skipped())
        .containsExactly(
            new DataSet.SkippedRecord("2", "its image is neither the name of a file nor base64"));
    DataSet tsv =
        DataSets.read(
            write(
                "c.tsv",
                "index\timage\timage_path\tquestion\tanswer\n0\t\ta.png\twhat?\tcup\n"
                    + ("1\t" + "x.".repeat(3000) + "\t\twhat?\tcup\n")));
    assertThat(tsv.skipped())
        .containsExactly(
            new DataSet.SkippedRecord("1", "its image is neither the name of a file nor base64"));
  }

  /** What {@code pandas.read_csv(sep="\t")} makes of the same file. */
  @Test
  void strayQuotesAreReadAsPandasReadsThem() throws IOException {
    Path file =
        write(
            "a.tsv",
            "index\timage_path\tquestion\tanswer\n"
                + "0\ta.png\twhat is 5\" wide?\tcup\n"
                + "1\ta.png\t\"what\" is it?\tcup\n"
                + "2\ta.png\t\"a \"\"red\"\" one?\"\tcup\n"
                + "3\ta.png\t\"two\nlines?\"\tcup\n");
    assertThat(DataSets.read(file).samples())
        .extracting(Sample::question)
        .containsExactly("what is 5\" wide?", "what is it?", "a \"red\" one?", "two\nlines?");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.tsv", "a.csv"})
  void aQuoteThatIsNeverClosedIsASentence(String name) throws IOException {
    String rows =
        "index\timage_path\tquestion\tanswer\n0\ta.png\twhat?\tcup\n1\ta.png\t\"what is it?\tcup\n";
    Path file = write(name, name.endsWith("csv") ? rows.replace('\t', ',') : rows);
    assertThatThrownBy(() -> DataSets.read(file))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "%s is not valid %s: the quote that opens a cell in line 3 is never closed; write a quote within a cell twice, and quotes around the cell"
                .formatted(file, name.endsWith("csv") ? "CSV" : "TSV"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"nan", "NaN", "N/A", "None", "null", ""})
  void aMissingHintIsNone(String hint) throws IOException {
    String header = "index\timage_path\tquestion\thint\tA\tB\tC\tanswer\n";
    Path tsv = write("a.tsv", header + "0\ta.png\twhich?\t" + hint + "\tred\tblue\tnan\tA\n");
    Path jsonLines =
        write(
            "a.jsonl",
            "{\"image\": \"a.png\", \"question\": \"which?\", \"hint\": \"%s\", \"A\": \"red\", \"B\": \"blue\", \"C\": \"nan\", \"answer\": \"A\"}\n"
                .formatted(hint));
    for (Path file : new Path[] {tsv, jsonLines}) {
      Sample sample = DataSets.read(file).samples().get(0);
      assertThat(sample.question()).isEqualTo("which?\nA. red\nB. blue");
      assertThat(sample.choices()).containsExactly("red", "blue");
    }
  }
}

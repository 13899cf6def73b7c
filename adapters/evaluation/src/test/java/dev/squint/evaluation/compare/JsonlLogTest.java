package dev.squint.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonlLogTest {

  @TempDir private Path folder;

  private static ObjectNode line(int number) {
    return new ObjectMapper().createObjectNode().put("n", number).put("text", "é\n\"");
  }

  private List<Integer> read(Path file) {
    List<Integer> numbers = new ArrayList<>();
    JsonlLog.open(file, node -> numbers.add(node.path("n").intValue())).close();
    return numbers;
  }

  @Test
  void aLineThatWasCutOffIsDropped() throws IOException {
    Path file = folder.resolve("lines.jsonl");
    try (JsonlLog log = JsonlLog.open(file, node -> {})) {
      log.append(line(1));
      log.append(line(2));
    }
    byte[] whole = Files.readAllBytes(file);
    byte[] one = Arrays.copyOf(whole, whole.length / 2);
    for (int length = one.length; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThat(read(file)).containsExactly(1);
      assertThat(file).hasBinaryContent(one);
    }
    Files.write(file, "{\"n\":".getBytes(StandardCharsets.UTF_8));
    assertThat(read(file)).isEmpty();
    assertThat(file).isEmptyFile();
  }

  @Test
  void aFileThroughALinkIsLeftAlone() throws IOException {
    Path file = Files.writeString(folder.resolve("notes.txt"), "no line break at the end");
    Path link = Files.createSymbolicLink(folder.resolve("lines.jsonl"), file);
    assertThatThrownBy(() -> read(link))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("choose another output");
    assertThat(file).hasContent("no line break at the end");
  }

  @Test
  void aLongUnfinishedLineIsDroppedToo() throws IOException {
    Path file = folder.resolve("lines.jsonl");
    Files.writeString(file, "{\"n\":1}\n{\"n\":\"" + "x".repeat(200_000));
    assertThat(read(file)).containsExactly(1);
    assertThat(file).hasContent("{\"n\":1}");
  }

  @Test
  void linesOfManyThreadsStayWhole() {
    Path file = folder.resolve("lines.jsonl");
    try (JsonlLog log = JsonlLog.open(file, node -> {})) {
      IntStream.range(0, 2000).parallel().forEach(i -> log.append(line(i)));
    }
    assertThat(read(file)).hasSize(2000).doesNotHaveDuplicates();
  }

  @Test
  void aLineThatItsReaderCannotTakeIsDamagedToo() throws IOException {
    Path file = folder.resolve("lines.jsonl");
    Files.writeString(file, "{\"n\":1}\n{\"n\":2}\n");
    assertThatThrownBy(
            () ->
                JsonlLog.open(
                    file,
                    node -> {
                      if (node.path("n").intValue() == 2) {
                        throw new IllegalArgumentException("two");
                      }
                    }))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith("line 2 of");
  }

  @Test
  void aDamagedLineIsNamedAndNothingIsLost() throws IOException {
    Path file = folder.resolve("lines.jsonl");
    Files.writeString(file, "{\"n\":1}\nbroken\n{\"n\":2}\n");
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith("line 2 of")
        .hasMessageEndingWith("is damaged; delete that line and start again");
    assertThat(file).hasContent("{\"n\":1}\nbroken\n{\"n\":2}\n");
  }

  @Test
  void twoComparisonsCannotWriteOneFile() {
    Path file = folder.resolve("lines.jsonl");
    try (JsonlLog log = JsonlLog.open(file, node -> {})) {
      log.append(line(1));
      assertThatThrownBy(() -> read(file)).hasMessageContaining("is being written by another");
    }
    assertThat(read(file)).containsExactly(1);
  }
}

package dev.squint.examples.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.adapters.DataException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;

/**
 * Records of {@code image} (or {@code video}), {@code question} and {@code answer} (or {@code
 * answers}), with {@code id}, {@code type} and {@code choices} if known: JSON lines, or CSV with a
 * header, where several answers and choices are separated by {@code |}. Also POPE's lines of {@code
 * image, text, label}. Files are looked for beside the data file.
 */
final class PlainRecords {

  private static final char BYTE_ORDER_MARK = '\uFEFF';

  /** A file without a line break so far is one large object, not lines. */
  private static final int LONGEST_FIRST_LINE = 1 << 16;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final Pictures pictures;
  private final Records records;
  private boolean choices;
  private boolean several;

  PlainRecords(Path file, Records records) {
    this.folder = file.toAbsolutePath().getParent();
    this.pictures = new Pictures(folder);
    this.records = records;
  }

  /** What the records ask for, once they are read. */
  Task task() {
    return choices ? Task.MULTIPLE_CHOICE : several ? Task.VQA : Task.SHORT_ANSWER;
  }

  /** The first record of JSON lines; missing if the file has no such thing. */
  static JsonNode firstLine(Path file) {
    char[] start = new char[LONGEST_FIRST_LINE];
    try (BufferedReader reader = reader(file)) {
      int length = 0;
      for (int read = 0; read >= 0 && length < start.length; length += Math.max(read, 0)) {
        read = reader.read(start, length, start.length - length);
      }
      String text = new String(start, 0, length).stripLeading();
      int end = text.indexOf('\n');
      if (end < 0 && length == start.length) {
        return MissingNode.getInstance();
      }
      return JSON.readTree(end < 0 ? text : text.substring(0, end));
    } catch (JsonProcessingException e) {
      return MissingNode.getInstance();
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  /** UTF-8, with or without a byte order mark. */
  static BufferedReader reader(Path file) throws IOException {
    BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8));
    reader.mark(1);
    if (reader.read() != BYTE_ORDER_MARK) {
      reader.reset();
    }
    return reader;
  }

  void readLines(Path file) {
    try (BufferedReader reader = reader(file)) {
      int number = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        if (!line.isBlank()) {
          readLine(line, number);
        }
      }
    } catch (IOException | UncheckedIOException e) {
      throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  private void readLine(String line, int number) {
    try {
      JsonNode node = JSON.readTree(line);
      if (node.isObject()) {
        read((ObjectNode) node, number);
        return;
      }
    } catch (JsonProcessingException e) {
      // Counted below, as any other line that is no record.
    }
    records.defect("line " + number, "it is no JSON object");
  }

  void readCsv(Path file) {
    CSVFormat format =
        CSVFormat.RFC4180
            .builder()
            .setHeader()
            .setSkipHeaderRecord(true)
            .setIgnoreSurroundingSpaces(true)
            .get();
    try (Reader reader = reader(file);
        Stream<CSVRecord> rows = format.parse(reader).stream()) {
      rows.forEach(
          row -> {
            ObjectNode node = JSON.createObjectNode();
            for (Map.Entry<String, String> cell : row.toMap().entrySet()) {
              if (!cell.getValue().isEmpty()) {
                put(node, cell.getKey().strip(), cell.getValue());
              }
            }
            read(node, (int) row.getRecordNumber() + 1);
          });
    } catch (IOException | UncheckedIOException | IllegalStateException e) {
      throw new DataException("%s is not valid CSV: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static void put(ObjectNode node, String name, String value) {
    String field =
        name.length() == 1 ? name.toUpperCase(Locale.ROOT) : name.toLowerCase(Locale.ROOT);
    if (field.equals("answers") || field.equals("choices")) {
      ArrayNode parts = node.putArray(field);
      for (String part : value.split("\\|")) {
        parts.add(part.strip());
      }
    } else {
      node.put(field, value);
    }
  }

  private void read(ObjectNode node, int number) {
    String id = first(node, "id", "question_id", "index");
    id = id.isEmpty() ? Integer.toString(number) : id;
    List<String> offered = texts(node.path("choices"));
    for (char letter = 'A'; node.has(String.valueOf(letter)); letter++) {
      offered.add(node.path(String.valueOf(letter)).asText());
    }
    List<String> answers = texts(node.path("answers"));
    String answer = first(node, "answer", "label");
    if (!answer.isEmpty()) {
      answers.add(0, answer);
    }
    Medium medium;
    try {
      medium = medium(node);
    } catch (InvalidPathException e) {
      records.defect(id, "no file can have the name of its picture");
      return;
    }
    if (medium == null) {
      records.defect(id, "it names no image and no video");
      return;
    }
    String question = first(node, "question", "text");
    several |= answers.size() > 1;
    choices |= !offered.isEmpty();
    records.add(
        id,
        medium,
        offered.isEmpty() ? question : Choices.asked(first(node, "hint"), question, offered),
        answers,
        offered,
        first(node, "type", "category", "question_type"));
  }

  private Medium medium(ObjectNode node) {
    String image = first(node, "image", "image_path");
    if (!image.isEmpty()) {
      return pictures.find(image.replace('\\', '/'));
    }
    String video = first(node, "video", "video_path");
    return video.isEmpty() ? null : new Medium.VideoFile(folder.resolve(video.replace('\\', '/')));
  }

  private static String first(ObjectNode node, String... names) {
    for (String name : names) {
      JsonNode value = node.path(name);
      if (value.isValueNode() && !value.isNull() && !value.asText().isBlank()) {
        return value.asText();
      }
    }
    return "";
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(value -> texts.add(value.asText("")));
    return texts;
  }
}

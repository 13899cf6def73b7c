package dev.squint.examples.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.adapters.DataException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Records of {@code image} (or {@code video}), {@code question} and {@code answer} (or {@code
 * answers}), with {@code id}, {@code type} and {@code choices} if known: JSON lines, a JSON array,
 * or CSV with a header, where several answers and choices are separated by {@code |}. Also POPE's
 * lines of {@code image, text, label}. Files are looked for beside the data file.
 */
final class PlainRecords {

  private static final char BYTE_ORDER_MARK = '\uFEFF';

  /** Characters looked at: a file without a line break so far is one large object, not lines. */
  private static final int LOOKED_AT = 1 << 16;

  /** Takes Python's lists of texts too, which VLMEvalKit writes, and its NaN. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(JsonReadFeature.ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER)
          .build();

  /** How Python writes characters that it does not print, such as a no-break space. */
  private static final Pattern PYTHON_BYTE =
      Pattern.compile("(?<!\\\\)((?:\\\\{2})*)\\\\x(\\p{XDigit}{2})");

  private static final List<String> IMAGE = List.of("image", "image_path");
  private static final List<String> VIDEO = List.of("video", "video_path");
  private static final List<String> QUESTION = List.of("question", "text");
  private static final List<String> ANSWERS = List.of("answers", "answer", "label");
  private static final List<String> CHOICES = List.of("choices", "options");

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
    return records.taskOf(choices, several);
  }

  /** The objects that fill a line each, in the first lines of a file. */
  static List<JsonNode> firstLines(Path file) {
    List<JsonNode> objects = new ArrayList<>();
    for (String line : start(file).split("\n")) {
      try {
        JsonNode node = JSON.readTree(line);
        if (node.isObject()) {
          objects.add(node);
        }
      } catch (JsonProcessingException e) {
        // No record of JSON lines, or a broken one.
      }
    }
    return objects;
  }

  /** The first characters of a file. */
  static String start(Path file) {
    char[] start = new char[LOOKED_AT];
    try (BufferedReader reader = reader(file)) {
      int length = 0;
      for (int read = 0; read >= 0 && length < start.length; length += Math.max(read, 0)) {
        read = reader.read(start, length, start.length - length);
      }
      return new String(start, 0, length).stripLeading();
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  /** Whether one of the lines has a picture or video and a question. */
  static boolean recognises(List<JsonNode> lines) {
    return lines.stream()
        .anyMatch(
            line -> {
              List<String> names = new ArrayList<>();
              line.fieldNames().forEachRemaining(names::add);
              return recognisesNames(names);
            });
  }

  /** Whether a CSV header names a picture or video and a question. */
  static boolean recognisesCsv(Path file, char delimiter) {
    try (Reader reader = reader(file);
        CSVParser parser = format(delimiter).parse(reader)) {
      return recognisesNames(
          parser.getHeaderNames().stream()
              .map(name -> name.strip().toLowerCase(Locale.ROOT))
              .toList());
    } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
      return false;
    }
  }

  private static boolean recognisesNames(List<String> names) {
    return names.stream().anyMatch(name -> IMAGE.contains(name) || VIDEO.contains(name))
        && names.stream().anyMatch(QUESTION::contains);
  }

  /** A header in the first line, quotes as in RFC 4180; pandas leaves the first name empty. */
  static CSVFormat format(char delimiter) {
    return CSVFormat.RFC4180
        .builder()
        .setDelimiter(delimiter)
        .setHeader()
        .setSkipHeaderRecord(true)
        .setAllowMissingColumnNames(true)
        .setIgnoreSurroundingSpaces(true)
        .get();
  }

  /** UTF-8, with or without a byte order mark; anything else is refused as it is read. */
  static BufferedReader reader(Path file) throws IOException {
    BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8.newDecoder()) {
              @Override
              public int read(char[] target, int offset, int length) throws IOException {
                try {
                  return super.read(target, offset, length);
                } catch (CharacterCodingException e) {
                  throw new DataException("%s is not UTF-8; save it as UTF-8".formatted(file), e);
                }
              }
            });
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
        read((ObjectNode) node, Integer.toString(number));
        return;
      }
    } catch (JsonProcessingException e) {
      // Counted below, as any other line that is no record.
    }
    records.defect("line " + number, "it is no JSON object");
  }

  void readArray(Path file) {
    new JsonStream(file)
        .each(
            "",
            (place, node) -> {
              if (node.isObject()) {
                read((ObjectNode) node, place);
              } else {
                records.defect(place, "it is no JSON object");
              }
            });
  }

  void readCsv(Path file, char delimiter) {
    try (Reader reader = reader(file);
        CSVParser parser = format(delimiter).parse(reader)) {
      int width = parser.getHeaderNames().size();
      for (CSVRecord row : parser) {
        int number = (int) row.getRecordNumber() + 1;
        if (row.size() > width) {
          records.defect(
              "row " + number,
              "it has %d cells and the header %d; put cells with a %s in quotes"
                  .formatted(row.size(), width, name(delimiter)));
          continue;
        }
        ObjectNode node = JSON.createObjectNode();
        for (Map.Entry<String, String> cell : row.toMap().entrySet()) {
          if (!cell.getValue().isEmpty()) {
            put(node, cell.getKey().strip(), cell.getValue());
          }
        }
        read(node, Integer.toString(number));
      }
    } catch (IOException | UncheckedIOException | IllegalStateException e) {
      throw new DataException("%s is not valid CSV: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static String name(char delimiter) {
    return switch (delimiter) {
      case ',' -> "comma";
      case ';' -> "semicolon";
      default -> "tab";
    };
  }

  private static void put(ObjectNode node, String name, String value) {
    String field =
        name.length() == 1 ? name.toUpperCase(Locale.ROOT) : name.toLowerCase(Locale.ROOT);
    boolean parted = field.equals("answers") || CHOICES.contains(field);
    Optional<List<String>> parts =
        parted || field.equals("answer") ? list(value) : Optional.empty();
    if (parted || parts.isPresent()) {
      ArrayNode array = node.putArray(field);
      parts.orElseGet(() -> List.of(value.split("\\|"))).forEach(p -> array.add(p.strip()));
    } else {
      node.put(field, value);
    }
  }

  /** The texts of a cell that holds a list of these or of answers, as JSON or Python writes it. */
  static Optional<List<String>> list(String cell) {
    if (!cell.startsWith("[") || !cell.endsWith("]")) {
      return Optional.empty();
    }
    try {
      JsonNode array = JSON.readTree(PYTHON_BYTE.matcher(cell).replaceAll("$1\\\\u00$2"));
      List<String> texts = array.path(0).isObject() ? texts(array) : JsonStream.texts(array);
      return texts.isEmpty() ? Optional.empty() : Optional.of(texts);
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  private void read(ObjectNode node, String place) {
    String id = first(node, List.of("id", "question_id", "index"));
    id = id.isEmpty() ? place : id;
    JsonNode given = given(node, CHOICES);
    List<String> offered = choices(given);
    if (offered.isEmpty() && !given.isEmpty()) {
      records.defect(id, "choices has to be a list of texts, or of texts by A, B and so on");
      return;
    }
    offered.addAll(lettered(node));
    List<String> answers =
        ANSWERS.stream()
            .map(name -> texts(node.path(name)))
            .filter(texts -> !texts.isEmpty())
            .findFirst()
            .orElse(List.of());
    Reference reference;
    try {
      reference = reference(node);
    } catch (InvalidPathException e) {
      records.defect(id, "no file can have the name of its picture");
      return;
    }
    if (reference == null) {
      records.defect(id, "it names no image and no video");
      return;
    }
    String question = first(node, QUESTION);
    String type = first(node, List.of("type", "category", "question_type"));
    if (offered.isEmpty()) {
      several |= answers.size() > 1;
      records.add(id, reference, question, answers, List.of(), type);
      return;
    }
    choices = true;
    String answer = answers.size() == 1 ? answers.get(0) : "";
    JsonNode named = node.path("answer");
    boolean isPlace = named.isIntegralNumber() && !JsonStream.texts(given).isEmpty();
    String right = isPlace ? Choices.at(named.asInt(), offered) : Choices.right(answer, offered);
    if (right.isEmpty() && !answer.isBlank()) {
      records.defect(id, Choices.none(answer, offered));
      return;
    }
    records.add(
        id,
        reference,
        Choices.asked(first(node, List.of("hint")), question, offered),
        List.of(right),
        offered,
        type);
  }

  private Reference reference(ObjectNode node) {
    String image = first(node, IMAGE);
    if (!image.isEmpty()) {
      return pictures.find(image.replace('\\', '/'));
    }
    String video = first(node, VIDEO).replace('\\', '/');
    return video.isEmpty()
        ? null
        : new Reference(video, new Medium.VideoFile(folder.resolve(video)));
  }

  /** The first of several fields that is there. */
  private static JsonNode given(ObjectNode node, List<String> names) {
    return names.stream()
        .map(node::path)
        .filter(PlainRecords::isThere)
        .findFirst()
        .orElse(MissingNode.getInstance());
  }

  /** A list of texts, also within a text, or an object of texts by letter; else empty. */
  private static List<String> choices(JsonNode given) {
    if (given.isObject()) {
      List<String> texts = lettered(given);
      long there = given.valueStream().filter(PlainRecords::isThere).count();
      return texts.size() == there ? texts : new ArrayList<>();
    }
    Optional<List<String>> within = list(given.asText());
    return within.isPresent() ? new ArrayList<>(within.get()) : texts(given);
  }

  /** What an object has at A, B and so on. */
  private static List<String> lettered(JsonNode node) {
    List<String> texts = new ArrayList<>();
    for (char letter = 'A'; isThere(node.path(String.valueOf(letter))); letter++) {
      texts.add(node.path(String.valueOf(letter)).asText());
    }
    return texts;
  }

  /** Whether a value says anything: pandas writes null or NaN where there is none. */
  private static boolean isThere(JsonNode value) {
    return !value.isNull()
        && !value.isMissingNode()
        && !(value.isDouble() && Double.isNaN(value.doubleValue()))
        && !(value.isTextual() && value.textValue().isBlank());
  }

  private static String first(ObjectNode node, List<String> names) {
    for (String name : names) {
      JsonNode value = node.path(name);
      if (value.isValueNode() && isThere(value)) {
        return value.asText();
      }
    }
    return "";
  }

  /**
   * A text, number or truth value (as yes or no), a list of these, or of objects with one as {@code
   * answer}, as VQAv2 has them; empty if it is or holds anything else.
   */
  private static List<String> texts(JsonNode given) {
    List<String> texts = new ArrayList<>();
    for (JsonNode one : given.isArray() ? given : List.of(given)) {
      JsonNode value = one.isObject() ? one.path("answer") : one;
      if (!value.isValueNode() || !(value.isTextual() || isThere(value))) {
        return new ArrayList<>();
      }
      texts.add(value.isBoolean() ? value.booleanValue() ? "yes" : "no" : value.asText());
    }
    return texts;
  }
}

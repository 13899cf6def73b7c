package dev.squint.evaluation.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.DataException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * DataSetBuilder of {@code image} (or {@code video}), {@code question} and {@code answer} (or
 * {@code answers}), with {@code id}, {@code type} and {@code choices} if known: JSON lines, a JSON
 * array, or CSV with a header, where several answers and choices are separated by {@code |}. Also
 * POPE's lines of {@code image, text, label}. An image is in the record, as base64 or a data URI,
 * or in a file, which is looked for next to the data file.
 */
final class GenericRecords {

  private static final List<String> IMAGE = List.of("image", "image_path");
  private static final List<String> VIDEO = List.of("video", "video_path");
  private static final List<String> QUESTION = List.of("question", "text");
  private static final List<String> ANSWERS = List.of("answers", "answer", "label");
  private static final List<String> CHOICES = List.of("choices", "options");

  private final Path folder;
  private final ImageFinder images;
  private final DataSetBuilder records;
  private boolean choices;
  private boolean several;

  GenericRecords(Path file, DataSetBuilder records) {
    this.folder = file.toAbsolutePath().getParent();
    this.images = new ImageFinder(folder);
    this.records = records;
  }

  /** What the records ask for, once they are read. */
  Task task() {
    return records.taskOf(choices, several);
  }

  /**
   * The objects that fill a line each, in the first lines of a file. Where the first is longer than
   * what is looked at, its image is within it, and is left out.
   */
  static List<JsonNode> firstLines(Path file) {
    List<JsonNode> objects = new ArrayList<>();
    String start = new TextFile(file).start();
    if (start.indexOf('\n') < 0) {
      GenericValues.firstObject(file).ifPresent(objects::add);
      return objects;
    }
    for (String line : start.split("\n")) {
      try {
        JsonNode node = GenericValues.read(line);
        if (node.isObject()) {
          objects.add(node);
        }
      } catch (JsonProcessingException e) {
        // No record of JSON lines, or a broken one.
      }
    }
    return objects;
  }

  /** Whether one of the lines has an image or video and a question. */
  static boolean recognises(List<JsonNode> lines) {
    return lines.stream()
        .anyMatch(
            line -> {
              List<String> names = new ArrayList<>();
              line.fieldNames().forEachRemaining(names::add);
              return recognisesNames(names);
            });
  }

  /** Whether a CSV header names an image or video and a question. */
  static boolean recognisesCsv(Path file, char delimiter) {
    try (Reader reader = new TextFile(file).reader();
        CSVParser parser = Delimited.format(delimiter).parse(reader)) {
      return recognisesNames(
          parser.getHeaderNames().stream()
              .map(name -> name.strip().toLowerCase(Locale.ROOT))
              .toList());
    } catch (IOException | UncheckedIOException | IllegalArgumentException | DataException e) {
      return false;
    }
  }

  private static boolean recognisesNames(List<String> names) {
    return names.stream().anyMatch(name -> IMAGE.contains(name) || VIDEO.contains(name))
        && names.stream().anyMatch(QUESTION::contains);
  }

  void readLines(Path file) {
    try (BufferedReader reader = new TextFile(file).reader()) {
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
      JsonNode node = GenericValues.read(line);
      if (node.isObject()) {
        read((ObjectNode) node, Integer.toString(number));
        return;
      }
    } catch (JsonProcessingException e) {
      // Counted below, as any other line that is no record.
    }
    records.skip("line " + number, "it is no JSON object");
  }

  void readArray(Path file) {
    new JsonStream(file)
        .each(
            "",
            (place, node) -> {
              if (node.isObject()) {
                read((ObjectNode) node, place);
              } else {
                records.skip(place, "it is no JSON object");
              }
            });
  }

  void readCsv(Path file, char delimiter) {
    try (Reader reader = new TextFile(file).reader();
        CSVParser parser = Delimited.format(delimiter).parse(reader)) {
      for (CSVRecord row : parser) {
        int number = (int) row.getRecordNumber() + 1;
        Optional<String> excess = Delimited.excess(row, delimiter);
        if (excess.isPresent()) {
          records.skip("row " + number, excess.get());
          continue;
        }
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        for (Map.Entry<String, String> cell : row.toMap().entrySet()) {
          if (!cell.getValue().isEmpty()) {
            put(node, cell.getKey().strip(), cell.getValue());
          }
        }
        read(node, Integer.toString(number));
      }
    } catch (IOException | UncheckedIOException | IllegalStateException e) {
      throw Delimited.broken(file, "CSV", e);
    }
  }

  private static void put(ObjectNode node, String name, String value) {
    String field =
        name.length() == 1 ? name.toUpperCase(Locale.ROOT) : name.toLowerCase(Locale.ROOT);
    boolean parted = field.equals("answers") || CHOICES.contains(field);
    Optional<List<String>> parts =
        parted || field.equals("answer") ? GenericValues.list(value) : Optional.empty();
    if (parted || parts.isPresent()) {
      ArrayNode array = node.putArray(field);
      parts.orElseGet(() -> List.of(value.split("\\|"))).forEach(p -> array.add(p.strip()));
    } else {
      node.put(field, value);
    }
  }

  private void read(ObjectNode node, String place) {
    String id = first(node, List.of("id", "question_id", "index"));
    id = id.isEmpty() ? place : id;
    JsonNode given = given(node, CHOICES);
    List<String> offered = GenericValues.choices(given);
    if (offered.isEmpty() && !given.isEmpty()) {
      records.skip(id, "choices has to be a list of texts, or of texts by A, B and so on");
      return;
    }
    if (offered.isEmpty()) {
      offered = GenericValues.lettered(node);
    }
    List<String> answers =
        ANSWERS.stream()
            .map(name -> GenericValues.texts(node.path(name)))
            .filter(texts -> !texts.isEmpty())
            .findFirst()
            .orElse(List.of());
    NamedMedia reference;
    try {
      reference = reference(node, id);
    } catch (InvalidPathException e) {
      records.skip(id, "no file can have the name of its image");
      return;
    }
    if (reference == null) {
      boolean there = !image(node).isEmpty();
      records.skip(id, there ? ImageFinder.NEITHER : "it names no image and no video");
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
      records.skip(id, Choices.none(answer, offered));
      return;
    }
    records.add(
        id,
        reference,
        Choices.asked(GenericValues.hint(first(node, List.of("hint"))), question, offered),
        List.of(right),
        offered,
        type);
  }

  private NamedMedia reference(ObjectNode node, String id) {
    String image = image(node);
    if (!image.isEmpty()) {
      return images.of("record " + id, image).orElse(null);
    }
    String video = first(node, VIDEO).replace('\\', '/');
    return video.isEmpty()
        ? null
        : new NamedMedia(video, new MediaSource.VideoFile(folder.resolve(video)));
  }

  /** An image may be an object, as the hub's data sets and web services write it. */
  private static String image(ObjectNode node) {
    JsonNode image = given(node, IMAGE);
    if (image.isObject()) {
      return first((ObjectNode) image, List.of("bytes", "base64", "data", "url", "path"));
    }
    return first(node, IMAGE);
  }

  /** The first of several fields that is there. */
  private static JsonNode given(ObjectNode node, List<String> names) {
    return names.stream()
        .map(node::path)
        .filter(GenericValues::isThere)
        .findFirst()
        .orElse(MissingNode.getInstance());
  }

  private static String first(ObjectNode node, List<String> names) {
    for (String name : names) {
      JsonNode value = node.path(name);
      if (value.isValueNode() && GenericValues.isThere(value)) {
        return value.asText();
      }
    }
    return "";
  }
}

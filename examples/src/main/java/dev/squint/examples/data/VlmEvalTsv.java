package dev.squint.examples.data;

import dev.squint.adapters.DataException;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;

/**
 * The TSV files of VLMEvalKit: {@code index}, the picture as base64 in {@code image} (or the index
 * of a row that has it) or a file in {@code image_path}, {@code question}, {@code answer}, and
 * {@code A}, {@code B} and so on where there are choices. The type is {@code category}.
 */
final class VlmEvalTsv {

  private static final int LONGEST_INDEX = 64;

  private VlmEvalTsv() {}

  static boolean recognises(Path file) {
    try (Reader reader = PlainRecords.reader(file);
        var parser = format().parse(reader)) {
      Set<String> names = Set.copyOf(parser.getHeaderNames());
      return names.contains("index")
          && names.contains("question")
          && (names.contains("image") || names.contains("image_path"));
    } catch (IOException | IllegalArgumentException e) {
      return false;
    }
  }

  private static CSVFormat format() {
    return CSVFormat.TDF.builder().setHeader().setSkipHeaderRecord(true).get();
  }

  /** Reads a file and says what it asks for. */
  static Task read(Path file, Records records) {
    Pictures pictures = new Pictures(file.toAbsolutePath().getParent());
    Map<String, Medium> inline = new HashMap<>();
    boolean[] choices = new boolean[1];
    try (Reader reader = PlainRecords.reader(file);
        Stream<CSVRecord> rows = format().parse(reader).stream()) {
      rows.forEach(row -> choices[0] |= read(row, pictures, inline, records));
    } catch (IOException | UncheckedIOException | IllegalStateException e) {
      throw new DataException("%s is not valid TSV: %s".formatted(file, e.getMessage()), e);
    }
    return choices[0] ? Task.MULTIPLE_CHOICE : Task.SHORT_ANSWER;
  }

  /** Reads a row; whether it has choices. */
  private static boolean read(
      CSVRecord row, Pictures pictures, Map<String, Medium> inline, Records records) {
    String id = cell(row, "index");
    String image = cell(row, "image");
    Medium medium;
    if (image.isEmpty()) {
      String path = cell(row, "image_path");
      medium = path.isEmpty() ? null : pictures.find(path);
    } else if (image.length() <= LONGEST_INDEX) {
      medium = inline.get(image);
    } else {
      medium = new Medium.InlineImage("the picture of row " + id, image);
      inline.put(id, medium);
    }
    if (medium == null) {
      records.defect(
          id, image.isEmpty() ? "it has no picture" : "no row above has the picture " + image);
      return false;
    }
    List<String> choices = new ArrayList<>();
    for (char letter = 'A'; !cell(row, String.valueOf(letter)).isEmpty(); letter++) {
      choices.add(cell(row, String.valueOf(letter)));
    }
    String question = cell(row, "question");
    String answer = cell(row, "answer");
    records.add(
        id,
        medium,
        choices.isEmpty() ? question : Choices.asked(cell(row, "hint"), question, choices),
        answer.isEmpty() ? List.of() : List.of(answer),
        choices,
        cell(row, "category"));
    return !choices.isEmpty();
  }

  private static String cell(CSVRecord row, String name) {
    return row.isSet(name) ? row.get(name).strip() : "";
  }
}

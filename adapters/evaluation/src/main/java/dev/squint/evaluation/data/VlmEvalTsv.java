package dev.squint.evaluation.data;

import dev.squint.DataException;
import dev.squint.Squint;
import dev.squint.image.Base64Image;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * The TSV files of VLMEvalKit: {@code index}, the image as base64 in {@code image} (or the index of
 * a row that has it, or a file) or a file in {@code image_path}, {@code question}, {@code answer},
 * and {@code A}, {@code B} and so on where there are choices. The type is {@code category}. A file
 * without questions, such as COCO_VAL, holds captions.
 */
final class VlmEvalTsv {

  private static final String QUESTION = "question";
  private static final String ANSWER = "answer";
  private static final int LONGEST_INDEX = 64;

  /** The image of each row that holds one, by index; rows of the same image share it. */
  private final Map<String, NamedMedia> images = new HashMap<>();

  private final Path file;
  private final ImageFinder files;

  /** VLMEvalKit keeps the images of {@code X.tsv} and {@code X_local.tsv} in this folder. */
  private final String folder;

  private final DataSetBuilder records;
  private boolean captions;
  private boolean choices;
  private boolean several;

  private VlmEvalTsv(Path file, DataSetBuilder records) {
    this.file = file;
    this.files = new ImageFinder(file.toAbsolutePath().getParent());
    this.folder = file.getFileName().toString().replaceFirst("(_local)?\\.[^.]*$", "");
    this.records = records;
  }

  static boolean recognises(Path file) {
    try (Reader reader = new TextFile(file).reader();
        CSVParser parser = Delimited.format('\t').parse(reader)) {
      Set<String> names = Set.copyOf(parser.getHeaderNames());
      return names.contains("index")
          && (names.contains(QUESTION) || names.contains(ANSWER))
          && (names.contains("image") || names.contains("image_path"));
    } catch (IOException | UncheckedIOException | IllegalArgumentException | DataException e) {
      return false;
    }
  }

  /** Reads a file and says what it asks for. */
  static Task read(Path file, DataSetBuilder records) {
    VlmEvalTsv tsv = new VlmEvalTsv(file, records);
    InlineImages inline = new InlineImages();
    // A row may refer to one that comes later, so images are read first.
    tsv.each(row -> tsv.takeImage(row, inline));
    tsv.each(tsv::takeQuestion);
    return tsv.task();
  }

  private Task task() {
    if (captions) {
      return Task.CAPTION;
    }
    return records.taskOf(choices, several);
  }

  private void each(Consumer<CSVRecord> record) {
    try (Reader reader = new TextFile(file).reader();
        CSVParser parser = Delimited.format('\t').parse(reader)) {
      parser.forEach(record);
    } catch (IOException | UncheckedIOException | IllegalStateException e) {
      throw Delimited.broken(file, "TSV", e);
    }
  }

  private void takeImage(CSVRecord row, InlineImages inline) {
    String image = image(row, "image");
    if (isInline(image) && GenericValues.list(image).isEmpty()) {
      String index = cell(row, "index");
      images.putIfAbsent(index, inline.take("row " + index, image));
    }
  }

  private NamedMedia reference(CSVRecord row) {
    String image = image(row, "image");
    if (image.isEmpty()) {
      return file(image(row, "image_path"));
    }
    NamedMedia known = images.get(isInline(image) ? cell(row, "index") : image);
    return known == null && isFile(image) ? file(image) : known;
  }

  /** Whether it is base64 or a data URI, and not the index of a row that has it. */
  private static boolean isInline(String image) {
    return Base64Image.looksLike(image) || image.length() > LONGEST_INDEX && !isFile(image);
  }

  /** Names of files have an ending, base64 and indices have none. */
  private static boolean isFile(String image) {
    return image.indexOf('.') >= 0;
  }

  private NamedMedia file(String name) {
    String path = name.replace('\\', '/');
    return path.contains(":") ? files.find(path) : files.find(path, folder + "/" + path);
  }

  private void takeQuestion(CSVRecord row) {
    String id = cell(row, "index");
    Optional<String> excess = Delimited.excess(row, '\t');
    if (excess.isPresent()) {
      records.skip(id, excess.get());
      return;
    }
    String image = image(row, "image");
    String path = image(row, "image_path");
    if (image.isEmpty() && path.isEmpty()) {
      records.skip(id, "it has no image");
      return;
    }
    if (GenericValues.list(image.isEmpty() ? path : image).isPresent()) {
      records.skip(id, "it has several images, and a question is put about one");
      return;
    }
    if (!isInline(image) && !ImageFinder.canBeName(image.isEmpty() ? path : image)) {
      records.skip(id, ImageFinder.NEITHER);
      return;
    }
    NamedMedia reference = reference(row);
    if (reference == null) {
      records.skip(id, "no row has the image " + image);
      return;
    }
    List<String> offered = new ArrayList<>();
    for (char letter = 'A'; GenericValues.isChoice(cell(row, String.valueOf(letter))); letter++) {
      offered.add(cell(row, String.valueOf(letter)));
    }
    captions |= !row.isMapped(QUESTION);
    String question = captions ? Squint.CAPTION_PROMPT : cell(row, QUESTION);
    String answer = cell(row, ANSWER);
    if (offered.isEmpty()) {
      List<String> answers = GenericValues.list(answer).orElse(List.of(answer));
      several |= answers.size() > 1;
      records.add(id, reference, question, answers, List.of(), cell(row, "category"));
      return;
    }
    choices = true;
    String right = Choices.right(answer, offered);
    if (right.isEmpty() && !answer.isEmpty()) {
      records.skip(id, Choices.none(answer, offered));
      return;
    }
    records.add(
        id,
        reference,
        Choices.asked(GenericValues.hint(cell(row, "hint")), question, offered),
        List.of(right),
        offered,
        cell(row, "category"));
  }

  /** A cell of an image, which may be a list of one. */
  private static String image(CSVRecord row, String name) {
    String cell = cell(row, name);
    return GenericValues.list(cell)
        .filter(images -> images.size() == 1)
        .map(images -> images.get(0))
        .orElse(cell);
  }

  private static String cell(CSVRecord row, String name) {
    return row.isSet(name) ? row.get(name).strip() : "";
  }
}

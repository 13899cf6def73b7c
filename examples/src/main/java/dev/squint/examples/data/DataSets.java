package dev.squint.examples.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.adapters.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Reads data sets, whichever of the known formats they have: by what is in them, not by name. */
public final class DataSets {

  private static final String KNOWN =
      "known are easy-VQA, VQAv2, GQA, TextVQA, POPE, ScienceQA, COCO captions, VLMEvalKit's TSV,"
          + " and JSON lines or CSV of image, question and answer";

  private DataSets() {}

  /**
   * Reads a data set.
   *
   * @param source a folder or file
   * @return its questions, with the format that was detected
   * @throws DataException if it cannot be read, or its format is not known
   */
  public static DataSet read(Path source) {
    if (Files.isRegularFile(source)) {
      return file(source).orElseThrow(() -> unknown(source));
    }
    if (!Files.isDirectory(source)) {
      throw new DataException(
          "no such file: %s; name a folder or file of questions".formatted(source));
    }
    return folder(source);
  }

  private static DataException unknown(Path source) {
    return new DataException(
        "%s holds no questions of a known format; %s".formatted(source, KNOWN));
  }

  private static DataSet folder(Path folder) {
    Path easy = folder.resolve("questions.json");
    if (Files.isRegularFile(easy) && EasyVqa.recognises(new JsonStream(easy).shape())) {
      return easy(easy, folder);
    }
    List<Path> files = candidates(folder);
    List<Path> pope = files.stream().filter(DataSets::isPope).toList();
    if (!pope.isEmpty() && pope.size() == files.size()) {
      return pope(pope, folder);
    }
    List<DataSet> found = new ArrayList<>();
    List<Path> where = new ArrayList<>();
    for (Path file : files) {
      if (!isAnnotations(file)) {
        file(file)
            .ifPresent(
                set -> {
                  found.add(set);
                  where.add(file);
                });
      }
    }
    if (found.size() > 1) {
      throw new DataException(
          "%s holds several sets of questions; give one of %s"
              .formatted(
                  folder, String.join(", ", where.stream().map(Path::toString).sorted().toList())));
    }
    if (found.isEmpty()) {
      throw unknown(folder);
    }
    return found.get(0);
  }

  private static List<Path> candidates(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> ending(file).matches("json|jsonl|csv|tsv"))
          .filter(file -> !file.getFileName().toString().equals("pid_splits.json"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(folder, e.getMessage()), e);
    }
  }

  private static String ending(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return name.substring(name.lastIndexOf('.') + 1);
  }

  private static Optional<DataSet> file(Path file) {
    return switch (ending(file)) {
      case "tsv" -> tsv(file);
      case "csv" -> csv(file);
      case "jsonl" -> lines(file);
      default -> json(file);
    };
  }

  private static Optional<DataSet> tsv(Path file) {
    if (!VlmEvalTsv.recognises(file)) {
      return Optional.empty();
    }
    Records records = new Records(file);
    Task task = VlmEvalTsv.read(file, records);
    return Optional.of(records.toDataSet("VLMEvalKit TSV", task));
  }

  private static Optional<DataSet> csv(Path file) {
    Records records = new Records(file);
    PlainRecords plain = new PlainRecords(file, records);
    plain.readCsv(file);
    return Optional.of(records.toDataSet("CSV", plain.task()));
  }

  private static Optional<DataSet> lines(Path file) {
    JsonNode first = PlainRecords.firstLine(file);
    if (!first.isObject()) {
      return Optional.empty();
    }
    if (isPope(file)) {
      return Optional.of(pope(List.of(file), file));
    }
    Records records = new Records(file);
    PlainRecords plain = new PlainRecords(file, records);
    plain.readLines(file);
    return Optional.of(records.toDataSet("JSON lines", plain.task()));
  }

  private static Optional<DataSet> json(Path file) {
    // POPE calls its JSON lines .json; a record that fills a line alone tells them from one object.
    if (isPope(file)) {
      return lines(file);
    }
    JsonStream.Shape shape = new JsonStream(file).shape();
    Records records = new Records(file);
    if (EasyVqa.recognises(shape)) {
      return Optional.of(easy(file, file));
    }
    if (VqaV2.isQuestions(shape) || VqaV2.isAnnotations(shape)) {
      return Optional.of(vqa(file));
    }
    if (TextVqa.recognises(shape)) {
      TextVqa.read(file, records);
      return Optional.of(records.toDataSet("TextVQA", Task.VQA));
    }
    if (CocoCaptions.recognises(shape)) {
      CocoCaptions.read(file, records);
      return Optional.of(records.toDataSet("COCO captions", Task.CAPTION));
    }
    if (Gqa.recognises(shape)) {
      Gqa.read(file, records);
      return Optional.of(records.toDataSet("GQA", Task.SHORT_ANSWER));
    }
    if (ScienceQa.recognises(shape)) {
      ScienceQa.read(file, records);
      return Optional.of(records.toDataSet("ScienceQA", Task.MULTIPLE_CHOICE));
    }
    return Optional.empty();
  }

  private static DataSet easy(Path file, Path source) {
    Records records = new Records(source);
    boolean captions = EasyVqa.read(file, records);
    return records.toDataSet(
        captions ? "easy-VQA captions" : "easy-VQA", captions ? Task.CAPTION : Task.SHORT_ANSWER);
  }

  private static boolean isPope(Path file) {
    JsonNode first = PlainRecords.firstLine(file);
    return first.has("text") && first.has("label") && first.has("image");
  }

  private static DataSet pope(List<Path> files, Path source) {
    Records records = new Records(source);
    for (Path file : files) {
      Pope.read(file, records, files.size() > 1);
    }
    return records.toDataSet("POPE", Task.YES_NO);
  }

  private static boolean isAnnotations(Path file) {
    return ending(file).equals("json")
        && !isPope(file)
        && VqaV2.isAnnotations(new JsonStream(file).shape());
  }

  /** The set that a file of questions or of annotations belongs to; the other lies beside it. */
  private static DataSet vqa(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    Path questions = half(file, folder, VqaV2::isQuestions, "questions");
    Path annotations = half(file, folder, VqaV2::isAnnotations, "annotations");
    Records records = new Records(questions);
    VqaV2.read(questions, annotations, records);
    return records.toDataSet("VQAv2", Task.VQA);
  }

  private static Path half(
      Path given, Path folder, Predicate<JsonStream.Shape> recognises, String what) {
    if (recognises.test(new JsonStream(given).shape())) {
      return given;
    }
    List<Path> found =
        candidates(folder).stream()
            .filter(file -> ending(file).equals("json"))
            .filter(file -> !isPope(file) && recognises.test(new JsonStream(file).shape()))
            .toList();
    if (found.size() != 1) {
      throw new DataException(
          "%s needs exactly one file of VQA %s beside it, and there are %d; move the others away"
              .formatted(given, what, found.size()));
    }
    return found.get(0);
  }
}

package dev.squint.evaluation.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads data sets, whichever of the known formats they have: by what is in them, not by name. */
public final class DataSets {

  private static final String KNOWN =
      "known are easy-VQA, VQAv2, GQA, TextVQA, POPE, ScienceQA, COCO captions, VLMEvalKit's TSV,"
          + " and JSON, JSON lines or CSV of image, question and answer";

  /** The split in the names of VQA's files, such as val2014 or minival2014. */
  private static final Pattern SPLIT = Pattern.compile("[a-z]*(train|val|test)[-a-z]*\\d{4}");

  /** Where the other file of a VQA set may lie, seen from the folder of the one given. */
  private static final List<String> VQA_FOLDERS = List.of("", "../Questions", "../Annotations");

  private DataSets() {}

  /**
   * Reads a data set.
   *
   * @param source a folder or file
   * @return its questions, with the format that was detected
   * @throws DataException if it cannot be read, or its format is not known
   */
  public static DataSet read(Path source) {
    if (source.toString().isEmpty()) {
      throw new DataException("the path of the questions is empty; name a folder or file");
    }
    try {
      return readAny(source);
    } catch (InvalidPathException e) {
      throw new DataException(
          "%s names an image '%s', which no file can be called; fix that record"
              .formatted(source, e.getInput().replaceAll("\\p{Cntrl}", "?")),
          e);
    }
  }

  private static DataSet readAny(Path source) {
    if (Files.isRegularFile(source)) {
      return file(source);
    }
    if (!Files.isDirectory(source)) {
      throw new DataException(
          "no such file: %s; name a folder or file of questions".formatted(source));
    }
    return folder(source);
  }

  private static DataSet file(Path file) {
    if (ending(file).equals("json") && isJson(file, VqaV2::isAnnotations)) {
      return vqa(nextTo(file, VqaV2::isQuestions, "questions"), file);
    }
    return detect(file).orElseThrow(() -> unknown(file)).set().get();
  }

  private static DataException unknown(Path source) {
    if (Files.isRegularFile(source) && new TextFile(source).start().isBlank()) {
      return new DataException("%s is empty; give a file of questions".formatted(source));
    }
    return new DataException(
        "%s holds no questions of a known format; %s".formatted(source, KNOWN));
  }

  /**
   * A file whose format is known.
   *
   * @param file the file
   * @param pope whether it is one of POPE's, of which a folder holds three
   * @param set reads it
   */
  private record Found(Path file, boolean pope, Supplier<DataSet> set) {}

  private static DataSet folder(Path folder) {
    Path easy = folder.resolve("questions.json");
    if (Files.isRegularFile(easy) && EasyVqa.recognises(new JsonStream(easy).shape())) {
      return easy(easy, folder);
    }
    List<Found> found = new ArrayList<>();
    List<DataException> broken = new ArrayList<>();
    for (Path file : candidates(folder)) {
      try {
        detect(file).ifPresent(found::add);
      } catch (DataException e) {
        broken.add(e);
      }
    }
    if (found.size() == 1) {
      return found.get(0).set().get();
    }
    List<Path> files = found.stream().map(Found::file).toList();
    if (found.isEmpty()) {
      throw broken.isEmpty() ? nothing(folder) : broken.get(0);
    }
    boolean onePope =
        found.stream().allMatch(Found::pope)
            && files.stream().map(Pope::type).distinct().count() == files.size();
    if (onePope) {
      return pope(files, folder);
    }
    throw new DataException(
        "%s holds several sets of questions; give one of %s"
            .formatted(folder, String.join(", ", files.stream().map(Path::toString).toList())));
  }

  private static DataException nothing(Path folder) {
    try (Stream<Path> inside = Files.list(folder)) {
      List<String> sets =
          inside
              .filter(Files::isReadable)
              .filter(Files::isDirectory)
              .filter(one -> candidates(one).stream().anyMatch(DataSets::isKnown))
              .map(Path::toString)
              .sorted()
              .toList();
      return sets.isEmpty()
          ? unknown(folder)
          : new DataException(
              "%s holds no questions itself; give %s".formatted(folder, String.join(" or ", sets)));
    } catch (IOException e) {
      return unknown(folder);
    }
  }

  private static boolean isKnown(Path file) {
    try {
      return detect(file).isPresent();
    } catch (DataException e) {
      return false;
    }
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

  private static Optional<Found> detect(Path file) {
    String start = new TextFile(file).start();
    if (start.startsWith("{") || start.startsWith("[") || ending(file).equals("jsonl")) {
      List<JsonNode> lines = start.startsWith("[") ? List.of() : GenericRecords.firstLines(file);
      if (Pope.recognises(lines)) {
        return Optional.of(new Found(file, true, () -> pope(List.of(file), file)));
      }
      if (GenericRecords.recognises(lines)) {
        return found(file, () -> plain(file, "JSON lines", plain -> plain.readLines(file)));
      }
      return ending(file).equals("jsonl") ? Optional.empty() : json(file);
    }
    if (VlmEvalTsv.recognises(file)) {
      return found(file, () -> tsv(file));
    }
    for (char delimiter : new char[] {',', ';', '\t'}) {
      if (GenericRecords.recognisesCsv(file, delimiter)) {
        String format = delimiter == '\t' ? "TSV" : "CSV";
        return found(file, () -> plain(file, format, plain -> plain.readCsv(file, delimiter)));
      }
    }
    if (ending(file).equals("json")) {
      throw new DataException("%s is not valid JSON (line 1); get it again".formatted(file));
    }
    return Optional.empty();
  }

  private static Optional<Found> found(Path file, Supplier<DataSet> set) {
    return Optional.of(new Found(file, false, set));
  }

  private static DataSet tsv(Path file) {
    DataSetBuilder records = new DataSetBuilder(file);
    Task task = VlmEvalTsv.read(file, records);
    return records.toDataSet("VLMEvalKit TSV", task);
  }

  private static DataSet plain(Path file, String format, Consumer<GenericRecords> reader) {
    DataSetBuilder records = new DataSetBuilder(file);
    GenericRecords plain = new GenericRecords(file, records);
    reader.accept(plain);
    return records.toDataSet(format, plain.task());
  }

  private static Optional<Found> json(Path file) {
    JsonStream.Shape shape = new JsonStream(file).shape();
    if (EasyVqa.recognises(shape)) {
      return found(file, () -> easy(file, file));
    }
    if (shape.array() && GenericRecords.recognises(shape.records())) {
      return found(file, () -> plain(file, "JSON", plain -> plain.readArray(file)));
    }
    if (VqaV2.isQuestions(shape)) {
      return found(file, () -> vqa(file, nextTo(file, VqaV2::isAnnotations, "annotations")));
    }
    if (TextVqa.recognises(shape)) {
      return found(file, () -> set(file, "TextVQA", Task.VQA, TextVqa::read));
    }
    if (CocoCaptions.recognises(shape)) {
      return found(file, () -> set(file, "COCO captions", Task.CAPTION, CocoCaptions::read));
    }
    if (Gqa.recognises(shape)) {
      return found(file, () -> set(file, "GQA", Task.SHORT_ANSWER, Gqa::read));
    }
    if (ScienceQa.recognises(shape)) {
      return found(file, () -> set(file, "ScienceQA", Task.MULTIPLE_CHOICE, ScienceQa::read));
    }
    return Optional.empty();
  }

  private static DataSet set(
      Path file, String format, Task task, BiConsumer<Path, DataSetBuilder> reader) {
    DataSetBuilder records = new DataSetBuilder(file);
    reader.accept(file, records);
    return records.toDataSet(format, task);
  }

  private static DataSet easy(Path file, Path source) {
    DataSetBuilder records = new DataSetBuilder(source);
    boolean captions = EasyVqa.read(file, records);
    return records.toDataSet(
        captions ? "easy-VQA captions" : "easy-VQA", captions ? Task.CAPTION : Task.SHORT_ANSWER);
  }

  private static DataSet pope(List<Path> files, Path source) {
    DataSetBuilder records = new DataSetBuilder(source);
    for (Path file : files) {
      Pope.read(file, records, files.size() > 1);
    }
    return records.toDataSet("POPE", Task.YES_NO);
  }

  private static DataSet vqa(Path questions, Path annotations) {
    DataSetBuilder records = new DataSetBuilder(questions);
    VqaV2.read(questions, annotations, records);
    return records.toDataSet("VQAv2", Task.VQA);
  }

  /** The other file of a VQA set: of several in its folders, the one of the same split. */
  private static Path nextTo(Path given, Predicate<JsonStream.Shape> recognises, String what) {
    Path folder = given.toAbsolutePath().normalize().getParent();
    List<Path> found =
        VQA_FOLDERS.stream()
            .map(name -> folder.resolve(name).normalize())
            .filter(Files::isDirectory)
            .distinct()
            .flatMap(place -> candidates(place).stream())
            .filter(file -> ending(file).equals("json"))
            .filter(file -> !file.equals(folder.resolve(given.getFileName())))
            .filter(file -> isJson(file, recognises))
            .toList();
    Optional<String> split = split(given);
    if (found.size() > 1 && split.isPresent()) {
      found = found.stream().filter(file -> split(file).equals(split)).toList();
    }
    if (found.size() != 1) {
      throw new DataException(
          "%s needs exactly one file of VQA %s next to it, and there are %d; %s"
              .formatted(
                  given,
                  what,
                  found.size(),
                  found.isEmpty() ? "put it there" : "move the others away"));
    }
    return found.get(0);
  }

  private static Optional<String> split(Path file) {
    Matcher split = SPLIT.matcher(file.getFileName().toString());
    return split.find() ? Optional.of(split.group()) : Optional.empty();
  }

  private static boolean isJson(Path file, Predicate<JsonStream.Shape> recognises) {
    try {
      return recognises.test(new JsonStream(file).shape());
    } catch (DataException e) {
      return false;
    }
  }
}

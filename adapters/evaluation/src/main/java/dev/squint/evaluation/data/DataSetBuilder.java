package dev.squint.evaluation.data;

import dev.squint.DataException;
import dev.squint.onnx.internal.io.Sha256;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Collects the records of a data set, good and bad. */
final class DataSetBuilder {

  private static final Set<String> SPLITS =
      Set.of("train", "training", "val", "valid", "validation", "dev", "test", "testing");

  private final Path source;
  private final List<Sample> samples = new ArrayList<>();
  private final List<DataSet.SkippedRecord> skipped = new ArrayList<>();
  private final Map<String, String> names = new HashMap<>();

  DataSetBuilder(Path source) {
    this.source = source;
  }

  void add(
      String id,
      NamedMedia reference,
      String question,
      List<String> answers,
      List<String> choices,
      String type) {
    if (id.isBlank()) {
      skip("after " + samples.size() + " good ones", "its id is no text or whole number");
    } else if (question.isBlank()) {
      skip(id, "the question is empty");
    } else if (answers.stream().allMatch(String::isBlank)) {
      skip(id, "there is no answer");
    } else if (names.putIfAbsent(id, reference.name()) != null) {
      skip(id, "another record has the same id");
    } else {
      samples.add(new Sample(id, reference.medium(), question, answers, choices, type));
    }
  }

  void skip(String record, String reason) {
    skipped.add(new DataSet.SkippedRecord(record, reason));
  }

  /**
   * What records of a format for all kinds of questions ask for.
   *
   * @param choices whether some have choices
   * @param several whether some have several answers
   */
  Task taskOf(boolean choices, boolean several) {
    if (choices) {
      return Task.MULTIPLE_CHOICE;
    }
    return several ? Task.VQA : areYesOrNo() ? Task.YES_NO : Task.SHORT_ANSWER;
  }

  private boolean areYesOrNo() {
    return !samples.isEmpty() && samples.stream().allMatch(Sample::isYesOrNo);
  }

  DataSet toDataSet(String format, Task task) {
    if (task == Task.MULTIPLE_CHOICE) {
      samples.stream()
          .filter(sample -> sample.choices().isEmpty())
          .forEach(
              sample -> skip(sample.id(), "other records have choices, and this one has none"));
      samples.removeIf(sample -> sample.choices().isEmpty());
    }
    if (samples.isEmpty()) {
      String why =
          skipped.isEmpty()
              ? ""
              : ": record %s: %s".formatted(skipped.get(0).record(), skipped.get(0).reason());
      throw new DataException(
          "%s looks like %s but holds no usable question%s".formatted(source, format, why));
    }
    return new DataSet(name(), format, task, samples, skipped, hash());
  }

  /** The file or folder, with the folder around it where it is named after a split alone. */
  private String name() {
    Path path = source.toAbsolutePath().normalize();
    int names = path.getNameCount();
    if (names == 0) {
      return source.toString();
    }
    boolean isSplit = SPLITS.contains(path.getFileName().toString().toLowerCase(Locale.ROOT));
    Path named = path.subpath(isSplit ? Math.max(0, names - 2) : names - 1, names);
    return named.toString().replace(File.separatorChar, '/');
  }

  private String hash() {
    return Sha256.of(
        samples.stream()
            .flatMap(
                sample ->
                    Stream.of(
                        sample.id(),
                        sample.question(),
                        String.join("\u0001", sample.answers()),
                        String.join("\u0001", sample.choices()),
                        names.get(sample.id())))
            .toArray(String[]::new));
  }
}

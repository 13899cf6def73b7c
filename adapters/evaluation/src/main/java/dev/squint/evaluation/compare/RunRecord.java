package dev.squint.evaluation.compare;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.evaluation.Setting;
import dev.squint.evaluation.SettingException;
import dev.squint.evaluation.internal.ResultFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What makes two runs one: {@code run.json}. A run with the same record goes on in the same folder;
 * strategies, ratios and the number of questions may differ, since answers are kept one by one.
 *
 * @param model the model's name
 * @param modelHash tells its files apart
 * @param data the data set's name
 * @param dataHash tells its questions apart
 * @param metrics names of the metrics in the lines
 * @param seed seed of the draw and of random selection
 * @param maxNewTokens longest answer
 * @param promptSuffix the sentence after each question; empty if there is none, as before there
 *     were any
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record RunRecord(
    String model,
    String modelHash,
    String data,
    String dataHash,
    List<String> metrics,
    long seed,
    int maxNewTokens,
    String promptSuffix) {

  static final String FILE = "run.json";

  RunRecord {
    promptSuffix = Objects.requireNonNullElse(promptSuffix, "");
  }

  /**
   * Takes a folder for this run, or goes on with it.
   *
   * @throws SettingException if it holds something else
   */
  void claim(Path folder) {
    Path file = folder.resolve(FILE);
    try {
      if (Files.isRegularFile(file)) {
        List<Difference> differences = differences(read(file));
        if (!differences.isEmpty()) {
          List<Object> values = new ArrayList<>(List.of(folder));
          differences.forEach(difference -> values.addAll(difference.values()));
          values.add(Setting.OUTPUT);
          throw new SettingException(
              "%s holds another comparison ("
                  + String.join(", ", differences.stream().map(Difference::text).toList())
                  + " differs); choose another %s, or delete it",
              values.toArray());
        }
        return;
      }
      if (folder.toString().isEmpty() || Files.isRegularFile(folder)) {
        throw new SettingException(
            "%s '%s' is no folder; name one that is new or empty", Setting.OUTPUT, folder);
      }
      if (Files.isDirectory(folder) && !isEmpty(folder)) {
        throw new SettingException(
            "%s is a folder with other things in it; choose another %s", folder, Setting.OUTPUT);
      }
      Files.createDirectories(folder);
      new ResultFile(file)
          .write(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
    } catch (IOException e) {
      throw new SettingException(
          e,
          "%s cannot be made or written (%s); choose another %s",
          folder,
          e.getClass().getSimpleName(),
          Setting.OUTPUT);
    }
  }

  private static RunRecord read(Path file) throws IOException {
    try {
      RunRecord record = new ObjectMapper().readValue(file.toFile(), RunRecord.class);
      if (record == null
          || record.modelHash == null
          || record.dataHash == null
          || record.metrics == null
          || record.metrics.stream().anyMatch(Objects::isNull)) {
        throw damaged(file, null);
      }
      return record;
    } catch (JsonProcessingException e) {
      throw damaged(file, e);
    }
  }

  private static SettingException damaged(Path file, JsonProcessingException cause) {
    return new SettingException(
        cause, "%s is damaged; delete its folder or choose another %s", file, Setting.OUTPUT);
  }

  private static boolean isEmpty(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      // A start that was killed leaves the half of this file.
      return files.allMatch(file -> file.getFileName().toString().startsWith("." + FILE));
    }
  }

  /**
   * One thing that sets two runs apart, as the other has it.
   *
   * @param text a format string
   * @param values its values
   */
  private record Difference(String text, List<Object> values) {
    Difference(String text, Object... values) {
      this(text, List.of(values));
    }
  }

  /** What sets two runs apart; a folder of the same questions may have been renamed. */
  private List<Difference> differences(RunRecord other) {
    List<Difference> found = new ArrayList<>();
    if (!modelHash.equals(other.modelHash)) {
      found.add(new Difference("model %s", other.model));
    }
    if (!dataHash.equals(other.dataHash)) {
      found.add(new Difference("data %s", other.data));
    }
    if (!Set.copyOf(metrics).equals(Set.copyOf(other.metrics))) {
      found.add(new Difference("metric %s", String.join(" ", other.metrics)));
    }
    if (seed != other.seed) {
      found.add(new Difference("%s %d", Setting.SEED, other.seed));
    }
    if (maxNewTokens != other.maxNewTokens) {
      found.add(new Difference("%s %d", Setting.MAX_NEW_TOKENS, other.maxNewTokens));
    }
    if (!promptSuffix.equals(other.promptSuffix)) {
      found.add(
          other.promptSuffix.isEmpty()
              ? new Difference("%s none", Setting.PROMPT_SUFFIX)
              : new Difference("%s '%s'", Setting.PROMPT_SUFFIX, other.promptSuffix));
    }
    return found;
  }
}

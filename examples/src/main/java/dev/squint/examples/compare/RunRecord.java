package dev.squint.examples.compare;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.adapters.DataException;
import dev.squint.examples.report.WholeFile;
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
 * @param promptSuffix the sentence behind each question; empty if there is none, as before there
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
   * @throws DataException if it holds something else
   */
  void claim(Path folder) {
    Path file = folder.resolve(FILE);
    try {
      if (Files.isRegularFile(file)) {
        List<String> differences = differences(read(file));
        if (!differences.isEmpty()) {
          throw new DataException(
              "%s holds another comparison (%s differs); choose another --out, or delete it"
                  .formatted(folder, String.join(", ", differences)));
        }
        return;
      }
      if (folder.toString().isEmpty() || Files.isRegularFile(folder)) {
        throw new DataException(
            "--out '%s' is no folder; name one that is new or empty".formatted(folder));
      }
      if (Files.isDirectory(folder) && !isEmpty(folder)) {
        throw new DataException(
            "%s is a folder with other things in it; choose another --out".formatted(folder));
      }
      Files.createDirectories(folder);
      new WholeFile(file)
          .write(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
    } catch (IOException e) {
      throw new DataException(
          "%s cannot be made or written (%s); choose another --out"
              .formatted(folder, e.getClass().getSimpleName()),
          e);
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

  private static DataException damaged(Path file, JsonProcessingException cause) {
    return new DataException(
        "%s is damaged; delete its folder or choose another --out".formatted(file), cause);
  }

  private static boolean isEmpty(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      // A start that was killed leaves the half of this file.
      return files.allMatch(file -> file.getFileName().toString().startsWith("." + FILE));
    }
  }

  /** What sets two runs apart; a folder of the same questions may have been renamed. */
  private List<String> differences(RunRecord other) {
    List<String> names = new ArrayList<>();
    if (!modelHash.equals(other.modelHash)) {
      names.add("model " + other.model);
    }
    if (!dataHash.equals(other.dataHash)) {
      names.add("data " + other.data);
    }
    if (!Set.copyOf(metrics).equals(Set.copyOf(other.metrics))) {
      names.add("metric " + String.join(" ", other.metrics));
    }
    if (seed != other.seed) {
      names.add("--seed " + other.seed);
    }
    if (maxNewTokens != other.maxNewTokens) {
      names.add("--max-new-tokens " + other.maxNewTokens);
    }
    if (!promptSuffix.equals(other.promptSuffix)) {
      names.add(
          other.promptSuffix.isEmpty()
              ? "--prompt-suffix none"
              : "--prompt-suffix '%s'".formatted(other.promptSuffix));
    }
    return names;
  }
}

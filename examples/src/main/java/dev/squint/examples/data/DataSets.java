package dev.squint.examples.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.adapters.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads data sets, whichever of the known formats they have. */
public final class DataSets {

  private DataSets() {}

  /**
   * Reads a data set.
   *
   * @param source a folder or file
   * @return its questions, with the format that was detected
   * @throws DataException if it cannot be read, or its format is not known
   */
  public static DataSet read(Path source) {
    Path file = source.resolve("questions.json");
    JsonNode root;
    try {
      root = new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
    if (!Files.isDirectory(source) || !EasyVqa.recognises(root)) {
      throw new DataException("%s is of no format that is known".formatted(source));
    }
    Records records = new Records(source);
    EasyVqa.read(root, source, records);
    return records.toDataSet("easy-VQA", Task.SHORT_ANSWER);
  }
}

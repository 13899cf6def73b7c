package dev.squint.adapters;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.models.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A JSON file of a model folder.
 *
 * @param file where it lies
 * @param root what it holds
 */
record ModelJson(Path file, JsonNode root) {

  /**
   * Reads one.
   *
   * @throws ModelException if it is missing or not JSON
   */
  static ModelJson read(Path folder, String name) {
    Path file = folder.resolve(name);
    if (!Files.isRegularFile(file)) {
      throw new ModelException(
          "no such file: " + file + "; copy it from where the model came from");
    }
    try {
      return new ModelJson(file, new ObjectMapper().readTree(file.toFile()));
    } catch (IOException e) {
      throw new ModelException(file + " is not valid JSON: download or export it again", e);
    }
  }
}

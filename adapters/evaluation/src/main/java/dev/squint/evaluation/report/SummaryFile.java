package dev.squint.evaluation.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import dev.squint.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** {@code summary.json} of a report folder. */
public final class SummaryFile {

  static final String NAME = "summary.json";

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .addModule(new Jdk8Module())
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  private SummaryFile() {}

  static byte[] bytes(Summary summary) {
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(summary);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a summary is plain data", e);
    }
  }

  /** The summary as one line of JSON. */
  static String compact(Summary summary) {
    try {
      return JSON.writeValueAsString(summary);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a summary is plain data", e);
    }
  }

  /**
   * Reads the summary of an earlier comparison.
   *
   * @param folder its report folder
   * @return the summary
   * @throws DataException if there is none
   */
  public static Summary read(Path folder) {
    Path file = folder.resolve(NAME);
    if (!Files.isRegularFile(file)) {
      throw new DataException(
          "%s holds no %s; name the folder that squint compare has written"
              .formatted(folder, NAME));
    }
    try {
      Summary summary = JSON.readValue(file.toFile(), Summary.class);
      if (summary == null || summary.run() == null || summary.configs() == null) {
        throw new DataException(
            "%s is no summary of squint compare; name the folder of its report".formatted(file));
      }
      return summary;
    } catch (IOException e) {
      throw new DataException(
          "%s is no summary of squint compare; name the folder of its report".formatted(file), e);
    }
  }
}

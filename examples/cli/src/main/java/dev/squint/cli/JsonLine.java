package dev.squint.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;

/** One JSON object on a line of its own, as the commands print it with {@code --json}. */
final class JsonLine {

  private static final ObjectMapper JSON = new ObjectMapper();

  private JsonLine() {}

  static String of(Map<String, Object> fields) {
    try {
      return JSON.writeValueAsString(fields) + System.lineSeparator();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("what was found cannot be written as JSON", e);
    }
  }
}

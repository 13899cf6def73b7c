package dev.squint.examples.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** What the values of plain records say, as JSON, pandas and Python write them. */
final class PlainValues {

  /** Takes Python's lists of texts too, which VLMEvalKit writes, and its NaN. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(JsonReadFeature.ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER)
          .build();

  /** How Python writes characters that it does not print, such as a no-break space. */
  private static final Pattern PYTHON_BYTE =
      Pattern.compile("(?<!\\\\)((?:\\\\{2})*)\\\\x(\\p{XDigit}{2})");

  private PlainValues() {}

  /**
   * Reads a line.
   *
   * @throws JsonProcessingException if it is no JSON
   */
  static JsonNode read(String line) throws JsonProcessingException {
    return JSON.readTree(line);
  }

  /** Whether a value says anything: pandas writes null or NaN where there is none. */
  static boolean isThere(JsonNode value) {
    return !value.isNull()
        && !value.isMissingNode()
        && !(value.isDouble() && Double.isNaN(value.doubleValue()))
        && !(value.isTextual() && value.textValue().isBlank());
  }

  /**
   * A text, number or truth value (as yes or no), a list of these, or of objects with one as {@code
   * answer}, as VQAv2 has them; empty if it is or holds anything else.
   */
  static List<String> texts(JsonNode given) {
    List<String> texts = new ArrayList<>();
    for (JsonNode one : given.isArray() ? given : List.of(given)) {
      JsonNode value = one.isObject() ? one.path("answer") : one;
      if (!value.isValueNode() || !(value.isTextual() || isThere(value))) {
        return new ArrayList<>();
      }
      texts.add(value.isBoolean() ? value.booleanValue() ? "yes" : "no" : value.asText());
    }
    return texts;
  }

  /** The texts of a cell that holds a list of these or of answers, as JSON or Python writes it. */
  static Optional<List<String>> list(String cell) {
    if (!cell.startsWith("[") || !cell.endsWith("]")) {
      return Optional.empty();
    }
    try {
      JsonNode array = JSON.readTree(PYTHON_BYTE.matcher(cell).replaceAll("$1\\\\u00$2"));
      List<String> texts = array.path(0).isObject() ? texts(array) : JsonStream.texts(array);
      return texts.isEmpty() ? Optional.empty() : Optional.of(texts);
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /** A list of texts, also within a text, or an object of texts by letter; else empty. */
  static List<String> choices(JsonNode given) {
    if (given.isObject()) {
      List<String> texts = lettered(given);
      long there = given.valueStream().filter(PlainValues::isThere).count();
      return texts.size() == there ? texts : new ArrayList<>();
    }
    Optional<List<String>> within = list(given.asText());
    return within.isPresent() ? new ArrayList<>(within.get()) : texts(given);
  }

  /** What an object has at A, B and so on. */
  static List<String> lettered(JsonNode node) {
    List<String> texts = new ArrayList<>();
    for (char letter = 'A'; isThere(node.path(String.valueOf(letter))); letter++) {
      texts.add(node.path(String.valueOf(letter)).asText());
    }
    return texts;
  }
}

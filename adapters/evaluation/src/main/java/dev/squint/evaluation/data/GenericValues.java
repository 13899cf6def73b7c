package dev.squint.evaluation.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** What the values of plain records say, as JSON, pandas and Python write them. */
final class GenericValues {

  /** Takes Python's lists of texts too, which VLMEvalKit writes, and its NaN. */
  private static final ObjectMapper JSON =
      JsonMapper.builder(factory())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(JsonReadFeature.ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER)
          .build();

  /** How Python writes characters that it does not print, such as a no-break space. */
  private static final Pattern PYTHON_BYTE =
      Pattern.compile("(?<!\\\\)((?:\\\\{2})*)\\\\x(\\p{XDigit}{2})");

  /** What pandas reads as a cell without a value, and writes for one. */
  private static final Set<String> MISSING =
      Set.of(
          "-1.#IND",
          "1.#QNAN",
          "1.#IND",
          "-1.#QNAN",
          "#N/A N/A",
          "#N/A",
          "N/A",
          "n/a",
          "NA",
          "<NA>",
          "#NA",
          "NULL",
          "null",
          "NaN",
          "-NaN",
          "nan",
          "-nan",
          "None");

  private static final Set<String> IMAGES = Set.of("image", "image_path");
  private static final int LONGEST_TEXT = 700 << 20;
  private static final int MOST_PARTS = 4096;

  private GenericValues() {}

  /** Texts may be as long as an image in base64. */
  static JsonFactory factory() {
    StreamReadConstraints constraints =
        StreamReadConstraints.builder().maxStringLength(LONGEST_TEXT).build();
    return JsonFactory.builder().streamReadConstraints(constraints).build();
  }

  /** A hint; empty where it is what pandas writes for none. */
  static String hint(String text) {
    return MISSING.contains(text.strip()) ? "" : text;
  }

  /** Whether a choice is there: pandas writes nan for one that is not. */
  static boolean isChoice(String text) {
    return !text.isBlank() && !text.strip().equalsIgnoreCase("nan");
  }

  /**
   * The object that a file begins with, without its image. Empty if it is no JSON object, or holds
   * so many parts that it must be a whole set and not a record.
   */
  static Optional<JsonNode> firstObject(Path file) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    try (Reader reader = new TextFile(file).reader();
        JsonParser parser = JSON.createParser(reader)) {
      JsonToken token = parser.nextToken();
      int depth = 0;
      for (int part = 0; part < MOST_PARTS && token != null; part++) {
        depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        if (depth == 0) {
          return token == JsonToken.END_OBJECT ? Optional.of(object) : Optional.empty();
        }
        if (depth == 1 && token == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          token = parser.nextToken();
          boolean looked = token == JsonToken.VALUE_STRING && !IMAGES.contains(name);
          object.put(name, looked ? parser.getText() : "");
        } else {
          token = parser.nextToken();
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

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
      long there = given.valueStream().filter(GenericValues::isThere).count();
      return texts.size() == there ? texts : new ArrayList<>();
    }
    Optional<List<String>> within = list(given.asText());
    return within.isPresent() ? new ArrayList<>(within.get()) : texts(given);
  }

  private static boolean isChoice(JsonNode value) {
    return isThere(value) && isChoice(value.asText());
  }

  /** What an object has at A, B and so on. */
  static List<String> lettered(JsonNode node) {
    List<String> texts = new ArrayList<>();
    for (char letter = 'A'; isChoice(node.path(String.valueOf(letter))); letter++) {
      texts.add(node.path(String.valueOf(letter)).asText());
    }
    return texts;
  }
}

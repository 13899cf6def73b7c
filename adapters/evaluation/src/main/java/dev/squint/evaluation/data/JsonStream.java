package dev.squint.evaluation.data;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.squint.DataException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * A JSON file read record by record, so that files of hundreds of megabytes need little memory.
 *
 * @param file the file
 */
record JsonStream(Path file) {

  /** Takes the NaN that pandas writes. */
  private static final ObjectMapper JSON =
      JsonMapper.builder(GenericValues.factory())
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  /** DataSetBuilder looked at to tell the format: the first of a file may be the broken one. */
  private static final int LOOKED_AT = 16;

  /**
   * What a file looks like from above.
   *
   * @param array whether it is an array
   * @param records its first elements, or an object's first values that are no arrays
   * @param fields the first elements of an object's arrays, by field
   */
  record Shape(boolean array, List<JsonNode> records, Map<String, List<JsonNode>> fields) {

    /** Whether one of the records seen has all of the fields. */
    boolean records(String... names) {
      return has(records, names);
    }

    /** Whether one of the elements seen of an array has all of the fields. */
    boolean field(String field, String... names) {
      return has(fields.getOrDefault(field, List.of()), names);
    }

    private static boolean has(List<JsonNode> nodes, String... names) {
      return nodes.stream().anyMatch(node -> Arrays.stream(names).allMatch(node::has));
    }
  }

  /** Looks at a file. */
  Shape shape() {
    try (JsonParser parser = open()) {
      JsonToken start = parser.nextToken();
      if (start == JsonToken.START_ARRAY) {
        return new Shape(true, firstOf(parser), Map.of());
      }
      if (start != JsonToken.START_OBJECT) {
        throw new DataException(
            "%s is neither an array nor an object; give a file of questions".formatted(file));
      }
      return objectShape(parser);
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private static Shape objectShape(JsonParser parser) throws IOException {
    Map<String, List<JsonNode>> fields = new HashMap<>();
    List<JsonNode> records = new ArrayList<>();
    while (records.size() < LOOKED_AT && parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      if (parser.nextToken() == JsonToken.START_ARRAY) {
        fields.put(name, firstOf(parser));
        while (parser.currentToken() != JsonToken.END_ARRAY) {
          parser.skipChildren();
          parser.nextToken();
        }
      } else {
        records.add(parser.readValueAsTree());
      }
    }
    return new Shape(false, records, fields);
  }

  /** The first elements of an array; the parser then stands at the next one, or at the end. */
  private static List<JsonNode> firstOf(JsonParser parser) throws IOException {
    List<JsonNode> first = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY && first.size() < LOOKED_AT) {
      first.add(parser.readValueAsTree());
    }
    return first;
  }

  /** A field's text; empty if it is missing or anything else. */
  static String text(JsonNode node, String field) {
    JsonNode value = node.path(field);
    return value.isTextual() ? value.textValue() : "";
  }

  /** A field that is a text or a whole number, as text; empty if it is anything else. */
  static String id(JsonNode node, String field) {
    JsonNode value = node.path(field);
    return value.isTextual() || value.isIntegralNumber() ? value.asText() : "";
  }

  /** An array of texts; empty if it is no array or holds anything else. */
  static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    for (JsonNode value : array) {
      if (!value.isTextual()) {
        return List.of();
      }
      texts.add(value.textValue());
    }
    return texts;
  }

  /**
   * Hands out the elements of an array, with their places as keys, or an object's fields.
   *
   * @param field the array's field in an object, or empty for the root
   * @param record takes key and value
   */
  void each(String field, BiConsumer<String, JsonNode> record) {
    try (JsonParser parser = open()) {
      JsonToken token = parser.nextToken();
      if (!field.isEmpty()) {
        while (parser.nextToken() == JsonToken.FIELD_NAME && !parser.currentName().equals(field)) {
          parser.nextToken();
          parser.skipChildren();
        }
        token = parser.nextToken();
      }
      if (token == JsonToken.START_ARRAY) {
        for (int place = 0; parser.nextToken() != JsonToken.END_ARRAY; place++) {
          record.accept(Integer.toString(place), parser.readValueAsTree());
        }
      } else {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          parser.nextToken();
          record.accept(name, parser.readValueAsTree());
        }
      }
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private JsonParser open() throws IOException {
    InputStream stream = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    return JSON.createParser(stream);
  }

  private DataException broken(IOException e) {
    String where =
        e instanceof JsonParseException parse
            ? "is not valid JSON (line %d)".formatted(parse.getLocation().getLineNr())
            : "cannot be read";
    return new DataException("%s %s; get it again".formatted(file, where), e);
  }
}

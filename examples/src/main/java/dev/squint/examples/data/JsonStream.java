package dev.squint.examples.data;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.squint.adapters.DataException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiConsumer;

/**
 * A JSON file read record by record, so that files of hundreds of megabytes need little memory.
 *
 * @param file the file
 */
record JsonStream(Path file) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * What a file looks like from above.
   *
   * @param array whether it is an array
   * @param first its first element, or the value of its first field
   * @param fields an object's fields with the first element of each that is an array, in an object
   */
  record Shape(boolean array, JsonNode first, JsonNode fields) {}

  /** Looks at a file. */
  Shape shape() {
    try (JsonParser parser = open()) {
      JsonToken start = parser.nextToken();
      if (start == JsonToken.START_ARRAY) {
        boolean filled = parser.nextToken() != JsonToken.END_ARRAY;
        JsonNode first = filled ? parser.readValueAsTree() : MissingNode.getInstance();
        return new Shape(true, first, JSON.createObjectNode());
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
    var fields = JSON.createObjectNode();
    JsonNode first = MissingNode.getInstance();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken token = parser.nextToken();
      if (token == JsonToken.START_ARRAY) {
        fields.set(name, firstOf(parser));
      } else if (fields.isEmpty() && first.isMissingNode()) {
        first = parser.readValueAsTree();
        fields.putNull(name);
      } else {
        parser.skipChildren();
        if (fields.size() < 32) {
          fields.putNull(name);
        }
      }
    }
    return new Shape(false, first, fields);
  }

  /** The first element of an array, the others passed over. */
  private static JsonNode firstOf(JsonParser parser) throws IOException {
    if (parser.nextToken() == JsonToken.END_ARRAY) {
      return MissingNode.getInstance();
    }
    JsonNode first = parser.readValueAsTree();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      parser.skipChildren();
    }
    return first;
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

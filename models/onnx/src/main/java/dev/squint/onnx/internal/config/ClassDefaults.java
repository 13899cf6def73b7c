package dev.squint.onnx.internal.config;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.JsonFile;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/**
 * Sizes that transformers takes where a {@code config.json} leaves them out: those of the class
 * that its {@code model_type} names. Published configs hold only what differs from these.
 */
final class ClassDefaults {

  private final JsonNode tables;

  private ClassDefaults(JsonNode tables) {
    this.tables = tables;
  }

  static ClassDefaults read() {
    try (InputStream stream = ClassDefaults.class.getResourceAsStream("class-defaults.json")) {
      return new ClassDefaults(JsonFile.tree(stream.readAllBytes()));
    } catch (IOException | IllegalArgumentException e) {
      throw new ModelException("the table of default sizes is damaged; get the jar again", e);
    }
  }

  /** The sizes of a type, none if it is not known. */
  private static Sizes sizes(JsonNode table, String type) {
    return new Sizes(table.path(type));
  }

  Sizes text(String type) {
    return sizes(tables.path("text"), type);
  }

  Sizes vision(String type) {
    return sizes(tables.path("vision"), type);
  }

  /** The tower of a LLaVA whose config has no {@code vision_config} at all. */
  Sizes llavaVision() {
    return sizes(tables, "llava_vision");
  }

  /** What one class says. */
  record Sizes(JsonNode fields) {

    boolean known() {
      return fields.isObject();
    }

    Optional<Integer> whole(String field) {
      return Optional.of(fields.path(field)).filter(JsonNode::isInt).map(JsonNode::asInt);
    }

    Optional<Double> number(String field) {
      return Optional.of(fields.path(field)).filter(JsonNode::isNumber).map(JsonNode::asDouble);
    }
  }
}

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

  /** What a type of model says beside the sizes of its parts, nothing if it is not known. */
  Model model(String type) {
    return new Model(tables.path("models").path(type));
  }

  /** The tower of a LLaVA whose config has no {@code vision_config} at all. */
  Sizes llavaVision() {
    return sizes(tables, "llava_vision");
  }

  /** What the class of a whole model says. */
  record Model(JsonNode fields) {

    /** The type of its decoder where its config names none. */
    Optional<String> text() {
      return word("text");
    }

    /** The type of its tower where its config names none. */
    Optional<String> vision() {
      return word("vision");
    }

    /** The sizes of its decoder, if it can have but one type. */
    Optional<Sizes> textSizes() {
      return sizes("text_sizes");
    }

    /** The sizes of its tower, if it can have but one type. */
    Optional<Sizes> visionSizes() {
      return sizes("vision_sizes");
    }

    /** The sizes of its tower where its config says nothing of it at all. */
    Optional<Sizes> wholeVision() {
      return sizes("vision_whole");
    }

    private Optional<Sizes> sizes(String field) {
      return Optional.of(new Sizes(fields.path(field))).filter(Sizes::known);
    }

    /** The token that stands for an image. */
    Optional<Integer> imageToken() {
      return new Sizes(fields).whole("image_token");
    }

    /** Rows and columns of the patches that become one visual token. */
    Optional<Integer> scaleFactor() {
      return new Sizes(fields).whole("scale_factor");
    }

    private Optional<String> word(String field) {
      return Optional.of(fields.path(field)).filter(JsonNode::isTextual).map(JsonNode::textValue);
    }
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

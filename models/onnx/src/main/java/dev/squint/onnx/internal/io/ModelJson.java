package dev.squint.onnx.internal.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.error.ModelException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An object of a JSON file of a model folder. A field may be missing or null; one that is there and
 * is not what it has to be is refused in a sentence that names file and field, never guessed from.
 */
public final class ModelJson {

  private final Path file;
  private final String path;
  private final JsonNode node;

  private ModelJson(Path file, String path, JsonNode node) {
    this.file = file;
    this.path = path;
    this.node = node;
  }

  /**
   * Reads a file.
   *
   * @param file where it lies
   * @return the object it holds
   * @throws ModelException if it is missing, is not JSON within {@link JsonFile}'s bounds or holds
   *     anything but an object
   */
  public static ModelJson read(Path file) {
    JsonNode root = JsonFile.tree(file);
    if (!root.isObject()) {
      throw new ModelException(file + " holds no JSON object: download or export it again");
    }
    return new ModelJson(file, "", root);
  }

  /**
   * Reads a file that need not be there.
   *
   * @param file where it may lie
   * @return the object it holds, or one without fields
   * @throws ModelException if there is one that cannot be used
   */
  public static ModelJson readIfThere(Path file) {
    return Files.exists(file, LinkOption.NOFOLLOW_LINKS) ? read(file) : none(file);
  }

  /**
   * An object that was made of a file.
   *
   * @param file the file that messages name
   * @param root what was made of it
   */
  public static ModelJson of(Path file, ObjectNode root) {
    return new ModelJson(file, "", root);
  }

  /**
   * An object without fields.
   *
   * @param file the file that messages name
   */
  public static ModelJson none(Path file) {
    return new ModelJson(file, "", JsonNodeFactory.instance.objectNode());
  }

  /** Where it was read from. */
  public Path file() {
    return file;
  }

  /** Where a field stands in the file, such as {@code text_config.hidden_size}. */
  public String path(String field) {
    return path + field;
  }

  /** Whether a field is there and not null. */
  public boolean has(String field) {
    return node.hasNonNull(field);
  }

  /**
   * An object within.
   *
   * @param field its field
   * @return it, or one without fields
   * @throws ModelException if the field is anything else
   */
  public ModelJson section(String field) {
    JsonNode value = node.path(field);
    if (has(field) && !value.isObject()) {
      throw wrong(field, "an object");
    }
    return new ModelJson(file, path + field + ".", value);
  }

  /** Whether a field is an object. */
  public boolean isSection(String field) {
    return node.path(field).isObject();
  }

  /**
   * A whole number.
   *
   * @param field its field
   * @param least the smallest that is taken
   * @param most the largest that is taken
   * @return it, or empty if there is none
   * @throws ModelException if the field is anything else
   */
  public Optional<Integer> whole(String field, int least, int most) {
    return wholeOf(field, least, most).map(Long::intValue);
  }

  private Optional<Long> wholeOf(String field, long least, long most) {
    if (!has(field)) {
      return Optional.empty();
    }
    return Optional.of(whole(node.get(field), field, least, most));
  }

  private long whole(JsonNode value, String field, long least, long most) {
    if (!value.isIntegralNumber()
        || !value.canConvertToLong()
        || value.asLong() < least
        || value.asLong() > most) {
      throw wrong(field, "a whole number from %d to %d".formatted(least, most));
    }
    return value.asLong();
  }

  /**
   * A whole number that has to be there.
   *
   * @param field its field
   * @param most the largest that is taken; the smallest is 1
   * @throws ModelException if there is none
   */
  public int positive(String field, int most) {
    if (!has(field)) {
      throw new ModelException(
          "%s has no positive number '%s%s'; download or export it again"
              .formatted(file, path, field));
    }
    return whole(field, 1, most).orElseThrow();
  }

  /**
   * A whole number where there is one that is a size, whatever else may be there.
   *
   * @param field its field
   * @return it, or empty if the field holds anything but a number from 1 that an {@code int} holds
   */
  public Optional<Integer> declared(String field) {
    JsonNode value = node.path(field);
    return value.isIntegralNumber() && value.canConvertToInt() && value.asInt() > 0
        ? Optional.of(value.asInt())
        : Optional.empty();
  }

  /**
   * A number.
   *
   * @param field its field
   * @param least the smallest that is taken
   * @param most the largest that is taken
   * @return it, or empty if there is none
   * @throws ModelException if the field is anything else, or not finite
   */
  public Optional<Double> number(String field, double least, double most) {
    if (!has(field)) {
      return Optional.empty();
    }
    return Optional.of(number(node.get(field), field, least, most));
  }

  private double number(JsonNode value, String field, double least, double most) {
    // The comparisons are false for what is not a number.
    if (!value.isNumber() || !(value.asDouble() >= least && value.asDouble() <= most)) {
      throw wrong(field, "a number from %s to %s".formatted(least, most), value);
    }
    return value.asDouble();
  }

  /**
   * An array of numbers.
   *
   * @param field its field
   * @param count how many it has to have
   * @param least the smallest that is taken
   * @param most the largest that is taken
   * @return them, or empty if there is none
   * @throws ModelException if the field is anything else
   */
  public Optional<double[]> numbers(String field, int count, double least, double most) {
    if (!has(field)) {
      return Optional.empty();
    }
    JsonNode array = node.get(field);
    if (!array.isArray() || array.size() != count) {
      throw wrong(field, "an array of %d numbers".formatted(count));
    }
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = number(array.get(i), field, least, most);
    }
    return Optional.of(values);
  }

  /**
   * A whole number or an array of these.
   *
   * @param field its field
   * @param least the smallest that is taken
   * @param most the largest that is taken
   * @return them, none if there is no such field
   * @throws ModelException if the field is anything else
   */
  public List<Long> wholes(String field, long least, long most) {
    List<Long> values = new ArrayList<>();
    if (has(field)) {
      JsonNode given = node.get(field);
      for (JsonNode one : given.isArray() ? given : List.of(given)) {
        values.add(whole(one, field, least, most));
      }
    }
    return values;
  }

  /**
   * A truth value.
   *
   * @param field its field
   * @return it, or empty if there is none
   * @throws ModelException if the field is anything else
   */
  public Optional<Boolean> flag(String field) {
    if (has(field) && !node.get(field).isBoolean()) {
      throw wrong(field, "true or false");
    }
    return has(field) ? Optional.of(node.get(field).asBoolean()) : Optional.empty();
  }

  /**
   * A text.
   *
   * @param field its field
   * @return it, or empty if there is none
   * @throws ModelException if the field is anything else
   */
  public Optional<String> text(String field) {
    if (has(field) && !node.get(field).isTextual()) {
      throw wrong(field, "a text");
    }
    return has(field) ? Optional.of(node.get(field).textValue()) : Optional.empty();
  }

  /** Names of the fields that are not null, as they stand in the file. */
  public List<String> fields() {
    List<String> names = new ArrayList<>();
    node.fieldNames().forEachRemaining(names::add);
    names.removeIf(name -> !has(name));
    return names;
  }

  /**
   * Whether a field is a text, or an array with it.
   *
   * @param field its field
   * @param text the text
   */
  public boolean names(String field, String text) {
    JsonNode given = node.path(field);
    for (JsonNode one : given.isArray() ? given : List.of(given)) {
      if (one.isTextual() && one.textValue().equals(text)) {
        return true;
      }
    }
    return false;
  }

  /** Whether a field is false. */
  public boolean isFalse(String field) {
    return node.path(field).isBoolean() && !node.path(field).booleanValue();
  }

  /**
   * An array of arrays of whole numbers.
   *
   * @param field its field
   * @param least the smallest number that is taken
   * @param most the largest number that is taken
   * @return them, none if there is no such field
   * @throws ModelException if the field is anything else, or one of them is empty
   */
  public List<List<Long>> sequences(String field, long least, long most) {
    List<List<Long>> sequences = new ArrayList<>();
    if (has(field)) {
      for (JsonNode one : array(field)) {
        if (!one.isArray() || one.isEmpty()) {
          throw wrong(field, "an array of arrays of whole numbers", one);
        }
        List<Long> sequence = new ArrayList<>();
        for (JsonNode number : one) {
          sequence.add(whole(number, field, least, most));
        }
        sequences.add(List.copyOf(sequence));
      }
    }
    return sequences;
  }

  private JsonNode array(String field) {
    if (!node.get(field).isArray()) {
      throw wrong(field, "an array");
    }
    return node.get(field);
  }

  /** Whether a field is there and is neither null, false, zero nor empty. */
  public boolean isSet(String field) {
    JsonNode value = node.path(field);
    return has(field)
        && !(value.isBoolean() && !value.asBoolean())
        && !(value.isNumber() && value.asDouble() == 0)
        && !(value.isContainerNode() && value.isEmpty())
        && !(value.isTextual() && value.textValue().isEmpty());
  }

  /** Whether a field is a number. */
  public boolean isNumber(String field) {
    return node.path(field).isNumber();
  }

  /** Whether a field is a whole number that an {@code int} holds. */
  public boolean isInt(String field) {
    JsonNode value = node.path(field);
    return value.isIntegralNumber() && value.canConvertToInt();
  }

  /**
   * What to say of a field that cannot be used.
   *
   * @param field the field
   * @param what what it has to be, such as {@code a text}
   * @return one sentence
   */
  public ModelException wrong(String field, String what) {
    return wrong(field, what, node.path(field));
  }

  private ModelException wrong(String field, String what, JsonNode value) {
    String found = value.isObject() ? "an object" : value.isArray() ? "an array" : value.toString();
    return new ModelException(
        "%s: '%s%s' has to be %s, not %s; download or export it again"
            .formatted(file, path, field, what, Printable.of(found)));
  }
}

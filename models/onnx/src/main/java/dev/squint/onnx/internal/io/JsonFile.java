package dev.squint.onnx.internal.io;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import dev.squint.error.ModelException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.regex.Pattern;

/**
 * Reads JSON that a stranger may have written, within bounds: the size of the file is looked at
 * before a byte of it is read, and nesting, numbers and repeated fields while it is parsed. What
 * does not keep to them is refused in one sentence.
 */
public final class JsonFile {

  /** In what the parser says of numbers that only Python writes. */
  private static final String NON_FINITE = "ALLOW_NON_NUMERIC_NUMBERS";

  private static final Pattern PARSER = Pattern.compile(", from `[^`]*`");

  /** The most bytes of a file of settings; real ones have a few thousand. */
  public static final int SETTINGS = 4 << 20;

  private static final int DEEPEST = 64;
  private static final int LONGEST_NUMBER = 64;
  private static final ObjectReader READER =
      new ObjectMapper(factory()).reader(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  private static final ObjectWriter WRITER = new ObjectMapper().writer();

  private JsonFile() {}

  /**
   * The bytes of a file.
   *
   * @param file where it lies
   * @param most how many it may have
   * @return its bytes, at least one
   * @throws ModelException if it is missing, is no plain file, is empty, is larger than that or
   *     stands for a file that was not downloaded
   */
  public static byte[] bytes(Path file, int most) {
    byte[] bytes;
    try {
      if (!Files.readAttributes(file, BasicFileAttributes.class).isRegularFile()) {
        throw new ModelException(
            file + " is no file; copy the file of that name from where the model came from");
      }
      try (InputStream in = Files.newInputStream(file)) {
        // One more than allowed: a file may grow while it is read, and some have no size.
        bytes = Files.size(file) > most ? new byte[0] : in.readNBytes(most + 1);
        if (bytes.length > most || Files.size(file) > most) {
          throw new ModelException(
              "%s is larger than %,d bytes, which no file of its kind is; copy it from where the model came from"
                  .formatted(file, most));
        }
      }
    } catch (NoSuchFileException e) {
      throw new ModelException(
          "no such file: " + file + "; copy it from where the model came from", e);
    } catch (IOException e) {
      throw new ModelException(
          "%s cannot be read (%s); check its permissions".formatted(file, FileFailure.reason(e)),
          e);
    }
    if (bytes.length == 0) {
      throw new ModelException(file + " is empty; copy it from where the model came from");
    }
    if (LfsPointer.isOne(bytes)) {
      throw new ModelException(LfsPointer.sentence(file));
    }
    return bytes;
  }

  /**
   * Any JSON value of a file of settings.
   *
   * @param file where it lies
   * @return what it holds
   * @throws ModelException if it cannot be read or is not JSON
   */
  public static JsonNode tree(Path file) {
    byte[] bytes = bytes(file, SETTINGS);
    try {
      return tree(bytes);
    } catch (IOException e) {
      throw notJson(file, e);
    }
  }

  /**
   * Any JSON value.
   *
   * @param bytes it and nothing else
   * @return what they hold
   * @throws IOException if they are not JSON within the bounds
   */
  public static JsonNode tree(byte[] bytes) throws IOException {
    return READER.readTree(bytes);
  }

  /**
   * A parser that keeps to the bounds.
   *
   * @param bytes what {@link #bytes} has read
   * @return it; what is wrong with the JSON comes as an {@link IOException}
   * @throws IOException if they do not even start as JSON
   */
  public static JsonParser parser(byte[] bytes) throws IOException {
    return READER.createParser(bytes);
  }

  /**
   * Writes JSON piece by piece.
   *
   * @param to takes it
   * @throws IOException never
   */
  public static JsonGenerator generator(OutputStream to) throws IOException {
    return WRITER.createGenerator(to);
  }

  /** A value as JSON for people to read. */
  public static byte[] pretty(Object value) throws IOException {
    return WRITER.withDefaultPrettyPrinter().writeValueAsBytes(value);
  }

  /**
   * What to say of a file that is not JSON.
   *
   * @param file where it lies
   * @param cause what the parser said
   * @return one sentence
   */
  public static ModelException notJson(Path file, IOException cause) {
    if (String.valueOf(cause.getMessage()).contains(NON_FINITE)) {
      return new ModelException(
          file
              + " is not valid JSON: it holds Infinity or NaN, which Python writes and JSON does not have; write a number in its place",
          cause);
    }
    return new ModelException(
        "%s is not valid JSON: %s; download or export it again".formatted(file, reason(cause)),
        cause);
  }

  /** What the parser says, without the names of its classes. */
  private static String reason(IOException cause) {
    if (cause instanceof MismatchedInputException) {
      return "more follows after its end";
    }
    return cause instanceof JacksonException parse
        ? Printable.of(PARSER.matcher(parse.getOriginalMessage()).replaceAll(""))
        : "it cannot be decoded";
  }

  private static JsonFactory factory() {
    return JsonFactory.builder()
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(DEEPEST)
                .maxNumberLength(LONGEST_NUMBER)
                .build())
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        // A vocabulary has hundreds of thousands of names, each once.
        .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
        .build();
  }
}

package dev.squint.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A small export of a public tool and what PyTorch computes with the same weights. */
record ExportFixture(Path folder, JsonNode json, FloatBuffer numbers) {

  private static final Path ALL =
      Path.of("src", "test", "resources", "dev", "squint", "models", "exports");

  private static final String PREFIX = System.getProperty("squint.exports", "");

  /**
   * The fixtures of a kind, {@code decoder} or {@code vision}, by name; with {@code
   * -Dsquint.exports=PREFIX} only some.
   */
  static List<ExportFixture> all(String kind) {
    try (Stream<Path> folders = Files.list(ALL)) {
      return folders
          .filter(folder -> Files.exists(folder.resolve("case.json")))
          .filter(folder -> folder.getFileName().toString().startsWith(PREFIX))
          .sorted()
          .map(ExportFixture::read)
          .filter(fixture -> fixture.json.get("kind").asText().equals(kind))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ExportFixture named(String name) {
    return read(ALL.resolve(name));
  }

  static ExportFixture read(Path folder) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(folder.resolve("reference.bin")));
      return new ExportFixture(
          folder,
          new ObjectMapper().readTree(folder.resolve("case.json").toFile()),
          bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String name() {
    return folder.getFileName().toString();
  }

  Path graph() {
    return folder.resolve(json.get("kind").asText() + ".onnx");
  }

  int size(String field) {
    return json.get(field).asInt();
  }

  boolean hasReference() {
    return json.get("reference").asText().equals("pytorch");
  }

  boolean has(String array) {
    return json.get("arrays").has(array);
  }

  /** How far numbers of this precision may lie apart, {@code exact} for float32. */
  float within(float exact) {
    return json.get("precision").asText().equals("fp32") ? exact : 2e-2f;
  }

  long[] shape(String array) {
    return stream(json.get("arrays").get(array).get("shape")).toArray();
  }

  float[] array(String name) {
    JsonNode place = json.get("arrays").get(name);
    int length = (int) stream(place.get("shape")).reduce(1, (a, b) -> a * b);
    float[] values = new float[length];
    numbers.get(place.get("offset").asInt(), values);
    return values;
  }

  static java.util.stream.LongStream stream(JsonNode list) {
    return IntStream.range(0, list.size()).mapToLong(i -> list.get(i).asLong());
  }

  static float[] row(float[] matrix, int row, int width) {
    return java.util.Arrays.copyOfRange(matrix, row * width, (row + 1) * width);
  }

  @Override
  public String toString() {
    return name();
  }
}

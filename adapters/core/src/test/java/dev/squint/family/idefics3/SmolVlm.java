package dev.squint.family.idefics3;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** The SmolVLM of {@code make_family_smolvlm.py}, and what transformers makes of it. */
final class SmolVlm {

  static final Path FOLDER = Path.of("../../models/fixtures/data/families/smolvlm");

  private static final ObjectMapper JSON = new ObjectMapper();

  private SmolVlm() {}

  static Stream<JsonNode> reference(String part) {
    return all(json("reference.json").path(part));
  }

  static Stream<JsonNode> all(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  static JsonNode json(String file) {
    try {
      return JSON.readTree(FOLDER.resolve(file).toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static long[] longs(JsonNode array) {
    return all(array).mapToLong(JsonNode::asLong).toArray();
  }

  static float[] floats(JsonNode packed) {
    ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(packed.asText()));
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  /** A copy of the model's folder, to be made another. */
  static Path copy(Path to) throws IOException {
    Files.createDirectories(to.resolve("onnx"));
    for (String from : List.of(".", "onnx")) {
      try (Stream<Path> files = Files.list(FOLDER.resolve(from))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Files.copy(file, to.resolve(FOLDER.relativize(file).normalize()));
        }
      }
    }
    return to;
  }

  static void change(Path file, Consumer<ObjectNode> change) throws IOException {
    ObjectNode root = (ObjectNode) JSON.readTree(file.toFile());
    change.accept(root);
    JSON.writeValue(file.toFile(), root);
  }
}

package dev.squint.family.qwenvl;

import ai.onnx.proto.OnnxMl.ModelProto;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.chat.Role;
import dev.squint.chat.Turn;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.image.ImageInput;
import dev.squint.image.RgbImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** A fixture folder, or a copy of one made another. */
record QwenFolder(Path path) {

  static final List<String> NAMES = List.of("qwen2vl", "qwen25vl", "qwen3vl");

  private static final Path ALL = Path.of("..", "..", "models", "fixtures", "data", "families");
  private static final ObjectMapper JSON = new ObjectMapper();

  static QwenFolder of(String name) {
    return new QwenFolder(ALL.resolve(name));
  }

  QwenFolder copyTo(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = folder.resolve(path.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
    return new QwenFolder(folder);
  }

  QwenFolder json(String name, Consumer<ObjectNode> change) {
    try {
      Path file = path.resolve(name);
      ObjectNode root = (ObjectNode) JSON.readTree(file.toFile());
      change.accept(root);
      JSON.writeValue(file.toFile(), root);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  QwenFolder graph(String name, UnaryOperator<ModelProto> change) throws IOException {
    Path file = path.resolve("onnx").resolve(name + ".onnx");
    ModelProto model = ModelProto.parseFrom(Files.readAllBytes(file));
    Files.write(file, change.apply(model).toByteArray());
    return this;
  }

  VisionLanguageModel open() {
    return VisionLanguageModel.open(path, ModelOptions.builder().threads(1).build());
  }

  RgbImage image(String name) {
    return RgbImage.decode(ImageInput.of(path.resolve(name)));
  }

  JsonNode reference() {
    try {
      return JSON.readTree(path.resolve("reference.json").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<RgbImage> images(JsonNode chat) {
    List<RgbImage> images = new ArrayList<>();
    chat.path("images").forEach(name -> images.add(image(name.asText())));
    return images;
  }

  static List<Turn> turns(JsonNode chat) {
    List<Turn> turns = new ArrayList<>();
    for (JsonNode message : chat.path("messages")) {
      List<Turn.Part> parts = new ArrayList<>();
      for (JsonNode part : message.path("content")) {
        parts.add(
            part.path("type").asText().equals("image")
                ? new Turn.Image()
                : new Turn.Text(part.path("text").asText()));
      }
      turns.add(
          new Turn(Role.valueOf(message.path("role").asText().toUpperCase(Locale.ROOT)), parts));
    }
    return turns;
  }

  static long[] longs(JsonNode numbers) {
    return JSON.convertValue(numbers, long[].class);
  }

  static float[] floats(JsonNode base64) {
    ByteBuffer bytes =
        ByteBuffer.wrap(Base64.getDecoder().decode(base64.asText())).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }
}

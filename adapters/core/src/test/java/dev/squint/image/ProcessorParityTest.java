package dev.squint.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.engine.request.PixelValues;
import dev.squint.processor.Preprocessor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against what transformers 5.18 makes of the same images ({@code make_processors.py}). */
class ProcessorParityTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private static Stream<JsonNode> reference(String part) throws IOException {
    try (InputStream in =
        ProcessorParityTest.class.getResourceAsStream("/dev/squint/processor/processors.json")) {
      return StreamSupport.stream(JSON.readTree(in).path(part).spliterator(), false);
    }
  }

  static Stream<JsonNode> cases() throws IOException {
    return reference("cases");
  }

  static Stream<JsonNode> defaults() throws IOException {
    return reference("defaults");
  }

  private static RgbImage drawn(int width, int height) {
    long state = 1000L * width + height;
    byte[] rgb = new byte[3 * width * height];
    for (int i = 0; i < rgb.length; i++) {
      state = (state * 1_103_515_245 + 12_345) % (1L << 31);
      rgb[i] = (byte) (state >> 16);
    }
    return new RgbImage(width, height, rgb);
  }

  private Preprocessor read(String type, JsonNode fields) throws IOException {
    ObjectNode file = fields.deepCopy();
    file.put("image_processor_type", type);
    Files.writeString(folder.resolve("preprocessor_config.json"), file.toString());
    return Preprocessor.read(folder);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void seesWhatTransformersSees(JsonNode expected) throws IOException {
    Preprocessor preprocessor = read(expected.path("class").asText(), expected.path("fields"));
    for (JsonNode one : expected.path("images")) {
      RgbImage image = drawn(one.path("width").asInt(), one.path("height").asInt());
      RgbImage seen = preprocessor.seen(image);
      assertThat(new int[] {3, seen.height(), seen.width()})
          .isEqualTo(JSON.convertValue(one.path("shape"), int[].class));
      assertThat(planes(seen))
          .as(one.path("width") + "x" + one.path("height"))
          .isEqualTo(Base64.getDecoder().decode(one.path("seen").asText()));
      PixelValues values = preprocessor.apply(image);
      int step = Math.max(1, 3 * seen.width() * seen.height() / 9);
      for (int i = 0; i < one.path("values").size(); i++) {
        double wanted = one.path("values").get(i).asDouble();
        assertThat((double) values.data().get(i * step))
            .isCloseTo(wanted, offset(2e-6 * Math.max(1, Math.abs(wanted))));
      }
    }
  }

  private static byte[] planes(RgbImage seen) {
    int pixels = seen.width() * seen.height();
    byte[] planes = new byte[3 * pixels];
    for (int i = 0; i < planes.length; i++) {
      planes[i] = seen.rgb()[3 * (i % pixels) + i / pixels];
    }
    return planes;
  }

  @ParameterizedTest
  @MethodSource("defaults")
  void whatIsMissingIsTheClasssOwn(JsonNode expected) throws IOException {
    ObjectNode fields = expected.deepCopy();
    fields.remove(java.util.List.of("class", "switches"));
    assertThat(expected.path("switches")).allMatch(JsonNode::booleanValue);
    String type = expected.path("class").asText();
    Preprocessor silent = read(type, JSON.createObjectNode());
    Preprocessor told = read(type, fields);
    assertThat(silent).usingRecursiveComparison().isEqualTo(told);
    fields.remove("size");
    fields.put("size", 100);
    if (!fields.path("do_center_crop").asBoolean()
        && fields.path("default_to_square").asBoolean()) {
      assertThat(read(type, JSON.createObjectNode().put("size", 100)))
          .usingRecursiveComparison()
          .isEqualTo(read(type, fields));
    }
  }
}

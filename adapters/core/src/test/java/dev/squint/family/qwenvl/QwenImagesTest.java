package dev.squint.family.qwenvl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.family.ImageOptions;
import dev.squint.image.RgbImage;
import dev.squint.onnx.config.ModelConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Against transformers' {@code Qwen2VLImageProcessorPil} ({@code make_family_qwenvl.py}). */
class QwenImagesTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final SmartResize QWEN2 = new SmartResize(28, 3_136, 12_845_056);
  private static final SmartResize QWEN3 = new SmartResize(32, 65_536, 16_777_216);

  @TempDir Path folder;

  static Stream<JsonNode> cases() throws IOException {
    try (InputStream in = QwenImagesTest.class.getResourceAsStream("processor.json")) {
      return StreamSupport.stream(JSON.readTree(in).path("cases").spliterator(), false);
    }
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

  private QwenImages read(JsonNode fields) throws IOException {
    ObjectNode file = fields.deepCopy();
    file.put("image_processor_type", "Qwen2VLImageProcessorFast");
    Files.writeString(folder.resolve("preprocessor_config.json"), file.toString());
    int patch = fields.path("patch_size").asInt(14);
    return QwenProcessorFile.read(
        folder, new ModelConfig.Vision(2, 32, 4, 64, 32 * patch, patch, 4));
  }

  private QwenImages read(String fields) throws IOException {
    return read(JSON.readTree(fields));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void patchesAreThoseOfTransformers(JsonNode expected) throws IOException {
    QwenImages images = read(expected.path("fields"));
    for (JsonNode one : expected.path("images")) {
      RgbImage seen =
          images.seen(
              drawn(one.path("width").asInt(), one.path("height").asInt()), ImageOptions.DEFAULTS);
      PixelValues values = images.values(seen, "grid_thw");
      String name = one.path("width") + "x" + one.path("height");
      assertThat(values.others().get("grid_thw").values())
          .as(name)
          .isEqualTo(JSON.convertValue(one.path("grid"), long[].class));
      byte[] samples = Base64.getDecoder().decode(one.path("patches").asText());
      float[][] table = images.normalization().table();
      FloatBuffer data = values.data();
      assertThat(data.remaining()).as(name).isEqualTo(2 * samples.length);
      for (int i = 0; i < samples.length; i++) {
        int channel = i / 16 % 3;
        int at = i / 16 * 32 + i % 16;
        float wanted = table[channel][samples[i] & 0xFF];
        assertThat(new float[] {data.get(at), data.get(at + 16)})
            .as("%s, sample %d", name, i)
            .containsExactly(wanted, wanted);
      }
      int step = Math.max(1, data.remaining() / 9);
      for (int i = 0; i < one.path("values").size(); i++) {
        double wanted = one.path("values").get(i).asDouble();
        assertThat((double) data.get(i * step))
            .isCloseTo(wanted, offset(2e-6 * Math.max(1, Math.abs(wanted))));
      }
    }
  }

  /**
   * Rows and columns of an image, visual tokens of Qwen2-VL and of Qwen3-VL as the hub sets them.
   */
  @ParameterizedTest
  @CsvSource({
    "427, 640, 345, 260",
    "900, 1200, 1376, 1064",
    "1200, 900, 1376, 1064",
    "224, 224, 64, 64",
    "100, 1000, 144, 93",
    "3000, 4000, 15301, 11750"
  })
  void tokensAreAsManyAsTransformersMakes(int height, int width, int qwen2, int qwen3) {
    assertThat(tokens(QWEN2, width, height)).isEqualTo(qwen2);
    assertThat(tokens(QWEN3, width, height)).isEqualTo(qwen3);
  }

  private static int tokens(SmartResize resize, int width, int height) {
    SmartResize.Size size = resize.of(width, height);
    return size.width() / resize.factor() * (size.height() / resize.factor());
  }

  @Test
  void sidesAreRoundedHalfToEven() {
    assertThat(QWEN2.of(70, 98)).isEqualTo(new SmartResize.Size(56, 112));
    assertThat(QWEN2.of(640, 427)).isEqualTo(new SmartResize.Size(644, 420));
  }

  @Test
  void boundsOfARequestWinOverThoseOfTheFile() throws IOException {
    QwenImages images = read("{\"size\": {\"shortest_edge\": 3136, \"longest_edge\": 31360}}");
    RgbImage image = drawn(400, 300);
    assertThat(images.seen(image, ImageOptions.DEFAULTS).width()).isEqualTo(196);
    assertThat(images.seen(image, ImageOptions.DEFAULTS.withMaxPixels(3136)).width()).isEqualTo(56);
    assertThat(images.seen(image, ImageOptions.DEFAULTS.withMaxPixels(1 << 20)).width())
        .isEqualTo(392);
    RgbImage small = drawn(30, 20);
    assertThat(
            images
                .seen(small, ImageOptions.DEFAULTS.withMinPixels(28 * 28).withMaxPixels(28 * 28))
                .width())
        .isEqualTo(28);
    assertThatThrownBy(() -> images.seen(image, ImageOptions.DEFAULTS.withMinPixels(1 << 20)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("at most 31360 pixels");
  }

  @Test
  void anImageTooLongForItsWidthIsRefused() {
    assertThat(QWEN2.of(200, 1)).isNotNull();
    assertThatThrownBy(() -> QWEN2.of(1, 201))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("1x201 pixels")
        .hasMessageContaining("200 times");
  }

  @Test
  void aGridOfTokensIsTheImageResizedToIt() throws IOException {
    QwenImages images = read("{}");
    RgbImage seen = images.seen(drawn(30, 90), 2, 3);
    assertThat(seen.width()).isEqualTo(84);
    assertThat(seen.height()).isEqualTo(56);
    assertThatThrownBy(() -> images.seen(drawn(30, 90), 0, 3))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("grid of 0 x 3");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"size\": {\"height\": 224, \"width\": 224}}; 'shortest_edge' and 'longest_edge'",
        "{\"patch_size\": 16}; 'patch_size' is 16",
        "{\"merge_size\": 4}; 'merge_size' is 4",
        "{\"do_center_crop\": true}; 'do_center_crop' is not known",
        "{\"min_pixels\": 0}; min_pixels",
        "{\"temporal_patch_size\": 3}; temporal_patch_size",
      })
  void whatWouldChangePixelsAndIsNotUnderstoodIsRefused(String fields, String reason) {
    ObjectNode file = JSON.createObjectNode();
    assertThatThrownBy(
            () -> {
              file.setAll((ObjectNode) JSON.readTree(fields));
              file.put("image_processor_type", "Qwen2VLImageProcessor");
              Files.writeString(folder.resolve("preprocessor_config.json"), file.toString());
              QwenProcessorFile.read(folder, new ModelConfig.Vision(2, 32, 4, 64, 448, 14, 4));
            })
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("preprocessor_config.json")
        .hasMessageContaining(reason);
  }

  @Test
  void anotherProcessorIsRefusedByName() throws IOException {
    Files.writeString(
        folder.resolve("preprocessor_config.json"),
        "{\"image_processor_type\": \"CLIPImageProcessor\"}");
    assertThatThrownBy(
            () -> QwenProcessorFile.read(folder, new ModelConfig.Vision(2, 32, 4, 64, 448, 14, 4)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("CLIPImageProcessor");
  }

  @Test
  void withoutResizingOnlyWholeTokensAreTaken() throws IOException {
    QwenImages images = read("{\"do_resize\": false}");
    assertThat(images.seen(drawn(56, 28), ImageOptions.DEFAULTS).width()).isEqualTo(56);
    assertThatThrownBy(() -> images.seen(drawn(57, 28), ImageOptions.DEFAULTS))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("57x28");
  }
}

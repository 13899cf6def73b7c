package dev.squint.family.idefics3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.error.ModelException;
import dev.squint.image.RgbImage;
import dev.squint.processor.Normalization;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Against what transformers 5.18 makes of the same images ({@code make_family_smolvlm.py}). */
class TileProcessorTest {

  private static final int SIDE = 16;

  @TempDir Path folder;

  static Stream<JsonNode> cases() {
    return SmolVlm.all(SmolVlm.json("processor.json"));
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

  private TileProcessor read(String fields) throws IOException {
    ObjectNode file = (ObjectNode) new ObjectMapper().readTree(fields);
    if (!file.has("image_processor_type")) {
      file.put("image_processor_type", "SmolVLMImageProcessorFast");
    }
    Files.writeString(folder.resolve("preprocessor_config.json"), file.toString());
    return TileFields.read(folder);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void seesWhatTransformersSees(JsonNode expected) throws IOException {
    TileProcessor processor = read(expected.path("fields").toString());
    Normalization normal = processor.normalization();
    for (JsonNode one : expected.path("images")) {
      String name = one.path("name").asText();
      RgbImage image = drawn(one.path("width").asInt(), one.path("height").asInt());
      Tiling tiling = processor.tiling(image);
      assertThat(tiling.rows()).as(name).isEqualTo(one.path("rows").asInt());
      assertThat(tiling.columns()).as(name).isEqualTo(one.path("columns").asInt());
      assertThat(tiling.tiles()).as(name).isEqualTo(one.path("tiles").asInt());
      byte[] seen = Base64.getDecoder().decode(one.path("seen").asText());
      FloatBuffer values = processor.values(image);
      assertThat(values.remaining()).isEqualTo(seen.length);
      for (int i = 0; i < seen.length; i++) {
        int channel = i / (SIDE * SIDE) % 3;
        double sample =
            (values.get(i) * normal.deviation()[channel] + normal.mean()[channel])
                / normal.factor();
        assertThat(sample).as("%s, value %d", name, i).isCloseTo(seen[i] & 0xFF, offset(1e-3));
      }
      int step = Math.max(1, seen.length / 9);
      for (int i = 0; i < one.path("values").size(); i++) {
        double wanted = one.path("values").get(i).asDouble();
        assertThat((double) values.get(i * step))
            .isCloseTo(wanted, offset(2e-6 * Math.max(1, Math.abs(wanted))));
      }
    }
  }

  @Test
  void whatTheFileDoesNotSayIsTheClasssOwn() throws IOException {
    TileProcessor processor = read("{}");
    assertThat(processor.sizes())
        .isEqualTo(new TileSizes(new TileSizes.LongestEdge(4 * 364), true, 364));
    assertThat(processor.normalization().mean()).containsOnly(0.5);
    assertThat(processor.normalization().deviation()).containsOnly(0.5);
    assertThat(processor)
        .usingRecursiveComparison()
        .isEqualTo(
            read(
                "{'resample': null, 'do_resize': true, 'rescale_factor': 0.00392156862745098}"
                    .replace('\'', '"')));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{'crop_size': 20}; 'crop_size'",
        "{'do_center_crop': true}; 'do_center_crop'",
        "{'size': {'shortest_edge': 20}}; 'size' has to be",
        "{'size': 20}; 'size' has to be",
        "{'max_image_size': {'height': 20}}; 'max_image_size' has to be an object with 'longest_edge'",
        "{'max_image_size': {'longest_edge': 0}}; 'max_image_size.longest_edge'",
        "{'resample': 9}; resample=9 is no filter",
        "{'do_image_splitting': 1}; 'do_image_splitting' has to be true or false",
        "{'image_std': [0.5, 0, 0.5]}; 'image_std' has to be",
        "{'image_processor_type': 'CLIPImageProcessor'}; CLIPImageProcessor"
      })
  void whatIsNotUnderstoodIsRefusedByName(String fields, String named) {
    assertThatThrownBy(() -> read(fields.replace('\'', '"')))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("preprocessor_config.json")
        .hasMessageContaining(named);
  }
}

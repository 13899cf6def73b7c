package dev.squint.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.ModelException;
import dev.squint.image.Canvas;
import dev.squint.image.Resampler;
import dev.squint.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProcessorFileTest {

  private static final String OLD = "preprocessor_config.json";
  private static final String NEW = "processor_config.json";
  private static final String PADDED =
      "{'image_processor_type': 'LlavaImageProcessor', 'size': {'shortest_edge': 12},"
          + " 'crop_size': 12, 'do_pad': true, 'resample': 4}";

  @TempDir Path folder;

  private void write(String name, String json) throws IOException {
    Files.writeString(folder.resolve(name), json.replace('\'', '"'));
  }

  private Preprocessor read(String json) throws IOException {
    write(OLD, json);
    return Preprocessor.read(folder);
  }

  private void assertRefused(String json, String message) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(message)
        .satisfies(refusal -> assertThat(refusal.getMessage().lines()).hasSize(1));
  }

  private static String sized(int side) {
    return "{'image_processor_type': 'SiglipImageProcessor', 'size': {'height': %d, 'width': %d}}"
        .formatted(side, side);
  }

  @Test
  void theNestedProcessorComesBeforeTheOldFile() throws IOException {
    write(NEW, "{'image_processor': " + sized(16) + ", 'patch_size': 8}");
    assertThat(Preprocessor.read(folder).width()).isEqualTo(16);
    write(OLD, sized(24));
    assertThat(Preprocessor.read(folder).width()).isEqualTo(16);
    write(NEW, "{'patch_size': 8}");
    assertThat(Preprocessor.read(folder).width()).isEqualTo(24);
    write(NEW, "{'image_processor': null}");
    assertThat(Preprocessor.read(folder).width()).isEqualTo(24);
  }

  @Test
  void messagesNameTheFileThatWasRead() throws IOException {
    write(NEW, "{'image_processor': {'size': 'large'}}");
    assertThatThrownBy(() -> Preprocessor.read(folder))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(folder.resolve(NEW) + ": 'image_processor.size' has to be ");
    write(NEW, "{'image_processor': 3}");
    assertThatThrownBy(() -> Preprocessor.read(folder))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(folder.resolve(NEW) + ": 'image_processor' has to be an object");
    write(NEW, "{'image_processor': " + sized(16) + "}");
    assertThatThrownBy(() -> Preprocessor.read(folder).checkFits(24))
        .hasMessageStartingWith(NEW + " makes images of 16x16 pixels");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'image_processor_type': 'ViTImageProcessor'",
        "'image_processor_type': 'ViTImageProcessorFast'",
        "'image_processor_type': 'ViTImageProcessorPil'",
        "'image_processor_type': 'ViTFeatureExtractor'",
        "'feature_extractor_type': 'ViTFeatureExtractor'",
        "'image_processor_type': 'ViTImageProcessor', 'feature_extractor_type': 'CLIPFeatureExtractor'"
      })
  void aClassHasManyNames(String type) throws IOException {
    Preprocessor read = read("{" + type + "}");
    assertThat(read.resampler()).contains(Resampler.BILINEAR);
    assertThat(read.size()).isEqualTo(new Resizing.Exact(224, 224));
  }

  @Test
  void withoutAClassItIsThatOfTheModel() throws IOException {
    assertThat(read("{}").size()).isEqualTo(new Resizing.ShortestEdge(224));
    write("config.json", "{'image_processor_type': 'BlipImageProcessor'}");
    assertThat(read("{}").size()).isEqualTo(new Resizing.Exact(384, 384));
  }

  @Test
  void anUnknownClassIsRefusedByName() {
    assertRefused(
        "{'image_processor_type': 'PixtralImageProcessor'}",
        "image processor 'PixtralImageProcessor' is not known; known are CLIPImageProcessor, ");
    assertRefused(
        "{'image_processor_type': 'CLIPImageProcessor', 'auto_map': {'AutoImageProcessor': 'a.B'}}",
        "'auto_map' names code of the model's own that prepares images, which is not run");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'do_flip_channel_order': true",
        "'offset': true",
        "'offset': false",
        "'crop_pct': 0.9",
        "'max_pixels': 1000",
        "'image_grid_pinpoints': [[336, 672]]",
        "'use_square_size': true",
        "'a\\nb': 1",
        "'pad_size': {'height': 20, 'width': 20}, 'do_pad': true"
      })
  void whatMayChangeTheImageIsRefusedByName(String field) {
    String name = field.substring(1, field.indexOf('\'', 1)).replace("\\n", "?");
    assertRefused(
        "{'image_processor_type': 'CLIPImageProcessor', " + field + "}",
        folder.resolve(OLD) + ": '" + name + "' ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'do_flip_channel_order': false",
        "'do_flip_channel_order': null",
        "'max_pixels': null",
        "'processor_class': 'LlavaProcessor', '_valid_processor_keys': ['a'], 'device': 'cpu'",
        "'return_tensors': 'pt', 'data_format': 'channels_first', 'input_data_format': null",
        "'do_convert_rgb': true, 'image_seq_length': 576, 'auto_map': {}",
        "'do_resize': null, 'size': null, 'crop_size': null, 'do_center_crop': null",
        "'pad_size': {'height': 20, 'width': 20}",
        "'do_pad': true"
      })
  void whatChangesNothingIsPassedOver(String field) throws IOException {
    assertThat(read("{'image_processor_type': 'CLIPImageProcessor', " + field + "}"))
        .usingRecursiveComparison()
        .isEqualTo(read("{'image_processor_type': 'CLIPImageProcessor'}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "CLIP|'size': {'longest_edge': 20}|'size' has to be one number",
        "CLIP|'size': {'height': 20}|'size' has to be one number",
        "CLIP|'size': {'min_pixels': 20, 'max_pixels': 30}|'size' has to be one number",
        "CLIP|'size': {}|'size' has to be one number",
        "CLIP|'size': [20]|'size' has to be one number",
        "CLIP|'crop_size': {'shortest_edge': 20}|'crop_size' has to be one number",
        "CLIP|'crop_size': [20, 20, 20]|'crop_size' has to be one number",
        "CLIP|'do_center_crop': false|'size' without 'do_center_crop' leaves images their shape",
        "Siglip|'size': 20|'size' without 'do_center_crop' leaves images their shape",
        "Siglip|'do_resize': false|'size' without 'do_center_crop' leaves images their shape",
        "Siglip|'do_center_crop': true|crops images, but names no 'crop_size'",
        "ConvNext|'do_center_crop': true, 'crop_size': 20|'do_center_crop' asks to crop twice",
        "ConvNext|'size': {'height': 20, 'width': 20}|'size' has to be of a ConvNextImageProcessor",
        "Llava|'do_pad': true, 'image_mean': [127, 1, 1]|'image_mean' has to be three numbers"
      })
  void whatMakesNoImageOfOneSizeIsRefused(String type, String field, String message) {
    assertRefused("{'image_processor_type': '" + type + "ImageProcessor', " + field + "}", message);
  }

  /** A red band between bands of the mean colour. */
  @Test
  void aLongImageIsSeenWhole() throws IOException {
    byte[] rgb = new byte[3 * 60 * 20];
    for (int i = 0; i < rgb.length; i += 3) {
      rgb[i] = (byte) (i / 3 % 60 < 30 ? 250 : 10);
    }
    RgbImage seen = read(PADDED).seen(new RgbImage(60, 20, rgb));
    assertThat(seen.width()).isEqualTo(12);
    for (int x = 0; x < 12; x++) {
      assertThat(seen.sample(x, 0, 0)).isEqualTo(122);
      assertThat(seen.sample(x, 11, 1)).isEqualTo(116);
      assertThat(seen.sample(x, 1, 2)).isEqualTo(104);
    }
    assertThat(seen.sample(0, 6, 0)).isEqualTo(250);
    assertThat(seen.sample(11, 6, 0)).isEqualTo(10);
    assertThat(read(PADDED).apply(new RgbImage(60, 20, rgb), 24, 24).shape())
        .containsExactly(1, 3, 24, 24);
  }

  /** As a square it would be 2 billion pixels. */
  @Test
  void theMarginTakesNoMemory() throws IOException {
    byte[] rgb = new byte[3 * 40_000 * 20];
    Arrays.fill(rgb, (byte) 200);
    RgbImage seen = read(PADDED).seen(new RgbImage(40_000, 20, rgb));
    assertThat(seen.sample(6, 0, 0)).isEqualTo(122);
  }

  /** LLaVA's own code makes squares where the model's file says so; transformers does not. */
  @Test
  void theFileOfTheModelMayAskForSquares() throws IOException {
    String clip =
        "{'image_processor_type': 'CLIPImageProcessor', 'size': {'shortest_edge': 12}, 'crop_size': 12}";
    assertThat(read(clip).padding()).isEmpty();
    write(
        "config.json", "{'image_aspect_ratio': 'pad', 'architectures': ['LlavaLlamaForCausalLM']}");
    assertThat(read(clip).padding()).contains(new Canvas.Color(122, 116, 104));
    write("config.json", "{'image_aspect_ratio': 'square'}");
    assertThat(read(clip).padding()).isEmpty();
    write("config.json", "{'image_aspect_ratio': 'anyres'}");
    assertRefused(clip, "config.json: 'image_aspect_ratio' anyres cuts images into tiles");
    write(
        "config.json",
        "{'image_aspect_ratio': 'pad', 'architectures': ['LlavaForConditionalGeneration']}");
    assertThat(read(clip).padding()).isEmpty();
  }
}

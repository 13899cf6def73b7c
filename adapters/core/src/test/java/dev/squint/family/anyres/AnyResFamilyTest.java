package dev.squint.family.anyres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.Answer;
import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.FeaturePacking;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.family.ImageOptions;
import dev.squint.family.PromptImage;
import dev.squint.family.TokenMap;
import dev.squint.family.llava.FamilyFixture;
import dev.squint.image.RgbImage;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.pruning.trace.Trace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** With the newline vector as the whole model in PyTorch, without it as one tile does. */
class AnyResFamilyTest {

  private static final Map<String, FamilyFixture> OPENED = new HashMap<>();

  @TempDir static Path shared;

  @TempDir Path temp;

  /** As the hub has it. */
  private static FamilyFixture opened(String name) {
    return OPENED.computeIfAbsent(name, key -> FamilyFixture.open(FamilyFixture.folder(key)));
  }

  @AfterAll
  static void close() {
    OPENED.values().forEach(FamilyFixture::close);
  }

  private static JsonNode firstChat(String name) {
    return FamilyFixture.reference(name).path("cases").get(0).path("chat");
  }

  @ParameterizedTest
  @ValueSource(strings = {"onevision", "llavanext"})
  void withoutTheNewlineAnswersAreThoseOfOneTile(String name) {
    FamilyFixture fixture = opened(name);
    FamilyFixture.each(name, "cases").forEach(fixture::requireAnswer);
    assertThat(fixture.family().notes())
        .singleElement()
        .asString()
        .startsWith("no image_newline: any-res tiles are not used")
        .doesNotContain("\n");
  }

  @Test
  void whatTheFilesLackIsSaid() {
    Path folder = FamilyFixture.folder("onevision");
    assertThat(Squint.answerable(folder, ModelOptions.defaults()).notes())
        .singleElement()
        .asString()
        .contains("image_newline");
    try (Squint squint = Squint.load(folder)) {
      Answer answer = squint.ask(folder.resolve("images/wide.png"), "What is it?");
      assertThat(answer.trace().notes()).anyMatch(note -> note.startsWith("no image_newline"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"onevision", "llavanext"})
  void withoutTheNewlineItIsPrunedAsOneTile(String name) {
    FamilyFixture fixture = opened(name);
    FamilyFixture.each(name, "pruned").forEach(one -> fixture.requirePruned(firstChat(name), one));
  }

  @ParameterizedTest
  @ValueSource(strings = {"onevision", "llavanext"})
  void theTileIsThatOfTransformers(String name) {
    FamilyFixture fixture = opened(name);
    for (Map.Entry<String, JsonNode> one :
        FamilyFixture.reference(name).path("pixels").properties()) {
      PixelValues pixels =
          fixture.family().prepare(fixture.image(one.getKey()), ImageOptions.DEFAULTS).pixels();
      float[] made = new float[pixels.data().remaining()];
      pixels.data().duplicate().get(made);
      assertThat(made)
          .containsExactly(FamilyFixture.floats(one.getValue().asText()), offset(2e-6f));
    }
  }

  private static FamilyFixture withNewline(String name) {
    return OPENED.computeIfAbsent(name + " with its newline", key -> openWithNewline(name));
  }

  private static FamilyFixture openWithNewline(String name) {
    try {
      Path folder = FamilyFixture.copy(name, shared.resolve(name));
      float[] newline =
          FamilyFixture.floats(FamilyFixture.reference(name).path("newline").asText());
      Files.write(folder.resolve("image_newline.npy"), npy(newline));
      return FamilyFixture.open(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] npy(float[] numbers) {
    String dictionary =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }".formatted(numbers.length);
    String padded = dictionary + " ".repeat(63 - (dictionary.length() + 10) % 64) + "\n";
    ByteBuffer bytes =
        ByteBuffer.allocate(10 + padded.length() + numbers.length * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    bytes.putShort((short) padded.length()).put(padded.getBytes(StandardCharsets.US_ASCII));
    for (float number : numbers) {
      bytes.putFloat(number);
    }
    return bytes.array();
  }

  /** The tensor among others, as safetensors lays it out. */
  private static byte[] safetensors(String name, float[] numbers) {
    int end = 8 + numbers.length * Float.BYTES;
    byte[] header =
        "{\"__metadata__\":{\"format\":\"pt\"},\"a.weight\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},\"%s\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[8,%d]}}"
            .formatted(name, numbers.length, end)
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + end).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length).put(header).putLong(7);
    for (float number : numbers) {
      bytes.putFloat(number);
    }
    return bytes.array();
  }

  @ParameterizedTest
  @ValueSource(strings = {"onevision", "llavanext"})
  void withTheNewlineAnswersAreThoseOfTheWholeModel(String name) {
    FamilyFixture fixture = withNewline(name);
    assertThat(fixture.family().notes()).isEmpty();
    FamilyFixture.each(name, "anyres").forEach(fixture::requireAnswer);
    FamilyFixture.each(name, "anyresPruned")
        .forEach(one -> fixture.requirePruned(firstChat(name), one));
  }

  @ParameterizedTest
  @CsvSource({
    "onevision, model.image_newline, model.safetensors",
    "onevision, image_newline, part-2.safetensors"
  })
  void theNewlineIsFoundInTheWeights(String name, String tensor, String file) throws IOException {
    Path folder = FamilyFixture.copy(name, temp);
    float[] newline = FamilyFixture.floats(FamilyFixture.reference(name).path("newline").asText());
    Files.write(folder.resolve(file), safetensors(tensor, newline));
    if (!file.startsWith("model")) {
      Files.writeString(
          folder.resolve("model.safetensors.index.json"),
          "{\"weight_map\": {\"%s\": \"%s\"}}".formatted(tensor, file));
    }
    assertThat(NewlineVector.find(folder, newline.length)).hasValue(newline);
    assertThatThrownBy(() -> NewlineVector.find(folder, 7))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("the newline has 48 numbers, but the decoder's hidden states have 7");
  }

  /** An exporter may leave it in the graph of the tower. */
  @Test
  void theNewlineIsFoundAmongTheOutputsOfTheTower() throws IOException {
    Path folder = FamilyFixture.copy("onevision", temp);
    float[] newline =
        FamilyFixture.floats(FamilyFixture.reference("onevision").path("newline").asText());
    withVector(folder, newline, "Identity", "image_newline.weight");
    try (FamilyFixture fixture = FamilyFixture.open(folder)) {
      assertThat(fixture.family().notes()).isEmpty();
      fixture.requireAnswer(FamilyFixture.reference("onevision").path("anyres").get(0));
      assertThat(fixture.model().openTensors()).isZero();
    }
  }

  @Test
  void aNewlineThatIsComputedOfTheImageIsRefused() throws IOException {
    Path folder = FamilyFixture.copy("onevision", temp);
    withVector(folder, new float[48], "Identity", "image_features");
    assertThatThrownBy(() -> FamilyFixture.open(folder))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("computes 'image_newline' of the image");
  }

  /** The tower with one more output, made of a weight or of another tensor. */
  private static void withVector(Path folder, float[] numbers, String operator, String from)
      throws IOException {
    Path file = folder.resolve("onnx/vision_encoder.onnx");
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(file)).toBuilder();
    TensorProto.Builder weight =
        TensorProto.newBuilder()
            .setName("image_newline.weight")
            .setDataType(GraphNodes.FLOAT)
            .addDims(numbers.length);
    for (float number : numbers) {
      weight.addFloatData(number);
    }
    model
        .getGraphBuilder()
        .addInitializer(weight)
        .addNode(GraphNodes.node(operator, List.of(from), "image_newline"))
        .addOutput(GraphNodes.shapeless("image_newline", GraphNodes.FLOAT));
    Files.write(file, model.build().toByteArray());
  }

  /** Published weights are of 16 bits. */
  @ParameterizedTest
  @CsvSource({
    "F16, 0x3E00, 0xB400, 0x0001, 5.9604645E-8",
    "BF16, 0x3FC0, 0xBE80, 0x7F80, Infinity"
  })
  void vectorsOfSixteenBitsAreRead(String type, String one, String two, String three, float last)
      throws IOException {
    byte[] header =
        "{\"image_newline\":{\"dtype\":\"%s\",\"shape\":[3],\"data_offsets\":[0,6]}}"
            .formatted(type)
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(14 + header.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length).put(header);
    for (String word : List.of(one, two, three)) {
      bytes.putShort((short) (int) Integer.decode(word));
    }
    Files.write(temp.resolve("model.safetensors"), bytes.array());
    assertThat(NewlineVector.find(temp, 3)).hasValue(new float[] {1.5f, -0.25f, last});
  }

  @Test
  void damagedWeightsAreRefused() throws IOException {
    Files.write(temp.resolve("model.safetensors"), new byte[] {1, 2, 3});
    assertThatThrownBy(() -> NewlineVector.find(temp, 7))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("model.safetensors is cut short or damaged");
    Files.writeString(temp.resolve("image_newline.npy"), "not numpy at all");
    assertThatThrownBy(() -> NewlineVector.find(temp, 7))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("image_newline.npy");
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

  /** Wide, tall, tiny, of one pixel: every sample of every tile. */
  @ParameterizedTest
  @ValueSource(strings = {"onevision", "llavanext"})
  void tilesAreThoseOfTransformers(String name) {
    TileProcessor processor = TileProcessor.read(FamilyFixture.folder(name), true);
    FamilyFixture.each(name, "tiles")
        .forEach(
            expected -> {
              RgbImage image =
                  drawn(expected.path("width").asInt(), expected.path("height").asInt());
              List<RgbImage> tiles = processor.tiles(image);
              assertThat(tiles).hasSize(expected.path("shape").get(0).asInt());
              byte[] planes = new byte[3 * tiles.size() * processor.side() * processor.side()];
              int at = 0;
              for (RgbImage tile : tiles) {
                for (int channel = 0; channel < 3; channel++) {
                  for (int i = channel; i < tile.rgb().length; i += 3) {
                    planes[at++] = tile.rgb()[i];
                  }
                }
              }
              assertThat(planes)
                  .as("%dx%d", image.width(), image.height())
                  .isEqualTo(Base64.getDecoder().decode(expected.path("seen").asText()));
            });
  }

  /** Features are packed in order and shrunk as PyTorch shrinks them. */
  @ParameterizedTest
  @ValueSource(strings = {"onevision", "llavanext"})
  void tokensOfImagesOfAnyShapeAreThoseOfTransformers(String name) {
    FamilyFixture fixture = withNewline(name);
    FamilyFixture.each(name, "packing")
        .forEach(
            expected -> {
              RgbImage image =
                  drawn(expected.path("width").asInt(), expected.path("height").asInt());
              PromptImage made = fixture.family().prepare(image, ImageOptions.DEFAULTS);
              assertThat(made.tokens())
                  .as("%dx%d", image.width(), image.height())
                  .isEqualTo(expected.path("tokens").asInt());
              FeaturePacking packing = made.pixels().packing().orElseThrow();
              assertThat(packing.tokens()).isEqualTo(made.tokens());
            });
  }

  /** The whole image, and the map with a newline after each row that lies nowhere. */
  @Test
  void tokensAreFoundOnTheImage() {
    FamilyFixture fixture = withNewline("onevision");
    RgbImage image = fixture.image("large.png");
    List<TokenMap> maps = fixture.family().maps(image);
    assertThat(maps).hasSize(2);
    TokenMap map = maps.get(1);
    assertThat(map.tokens()).startsWith(49, 50).endsWith(489);
    assertThat(map.tokens()[map.columns()]).isEqualTo(49 + map.columns() + 1);
    assertThat(maps.stream().mapToInt(TokenMap::count).sum()).isEqualTo(491);
    assertThat(opened("onevision").family().maps(image))
        .singleElement()
        .extracting(TokenMap::count)
        .isEqualTo(49);
  }

  /**
   * What the tower says of patches is put together as features are, on maps that are shrunk too; a
   * newline is no patch, so nothing attends to it and it is like nothing.
   */
  @ParameterizedTest
  @ValueSource(strings = {"onevision", "llavanext"})
  void strategiesThatLookIntoTheTowerSeeThroughPackedTiles(String name) {
    FamilyFixture fixture = withNewline(name);
    JsonNode chats = FamilyFixture.reference(name).path("anyres");
    FamilyFixture.each(name, "anyresTower")
        .forEach(
            one -> fixture.requirePruned(chats.get(one.path("case").asInt()).path("chat"), one));
    ModelInput prompt = fixture.prompt(firstChat(name));
    long projected = fixture.answer(prompt, "none").trace().visionFlops();
    assertThat(fixture.answer(prompt, "visionzip").trace())
        .returns(projected, Trace::visionFlops)
        .matches(trace -> trace.notes().stream().anyMatch(note -> note.contains("put together")));
    assertThat(fixture.model().openTensors()).isZero();
  }

  @Test
  void twoSitesThatMeetBehindPackedTilesAreRefused() {
    FamilyFixture fixture = withNewline("onevision");
    ModelInput prompt = fixture.prompt(firstChat("onevision"));
    assertThatThrownBy(() -> fixture.answer(prompt, "visionzip:tokens=30 + divprune:tokens=9"))
        .isInstanceOf(SquintException.class)
        .hasMessageContaining("meet there");
  }

  private TileProcessor read(String fields) throws IOException {
    Files.writeString(
        temp.resolve("preprocessor_config.json"), "{" + fields.replace('\'', '"') + "}");
    return TileProcessor.read(temp, false);
  }

  @Test
  void whatIsMissingIsTheClasssOwn() throws IOException {
    TileProcessor onevision = read("'image_processor_type': 'LlavaOnevisionImageProcessorFast'");
    assertThat(onevision.side()).isEqualTo(384);
    assertThat(onevision.resolutions()).hasSize(36).contains(new Resolution(2304, 384));
    assertThat(onevision.squares()).isTrue();
    TileProcessor next =
        read("'size': {'shortest_edge': 336}, 'crop_size': {'height': 336, 'width': 336}");
    assertThat(next.squares()).isFalse();
    assertThat(next.side()).isEqualTo(336);
    assertThat(next.resolutions())
        .containsExactly(
            new Resolution(336, 672),
            new Resolution(672, 336),
            new Resolution(672, 672),
            new Resolution(1008, 336),
            new Resolution(336, 1008));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'image_processor_type': 'CLIPImageProcessor'|known are LlavaNextImageProcessor, LlavaOnevisionImageProcessor",
        "'do_resize': false|'do_resize' leaves images their size",
        "'aspect_ratio_setting': 'pad'|'aspect_ratio_setting' asks for another way to cut images",
        "'do_flip_channel_order': true|'do_flip_channel_order' is not known",
        "'size': {'height': 336, 'width': 224}|'size' has to be a number",
        "'size': {'shortest_edge': 336}, 'crop_size': 224|'crop_size' cuts tiles of 224 pixels",
        "'size': 336, 'image_grid_pinpoints': [[336, 500]]|'image_grid_pinpoints' has to be",
        "'size': 224|'image_grid_pinpoints' has to be",
        "'image_mean': [3, 0, 0], 'size': 336|'image_mean' has to be three numbers"
      })
  void whatWouldChangeTilesIsRefusedByName(String fields, String message) {
    assertThatThrownBy(() -> read(fields))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }
}

package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.fixtures.Share;
import dev.squint.fixtures.TestCache;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.trace.SiteTrace;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * FastV and FasterVLM on the embedded model against what PyTorch computed on the same images:
 * {@code models/fixtures/make_parity.py}.
 */
@Tag("runtime")
class EmbeddedParityTest {

  private static final float TOLERANCE = 1e-3f;

  private static VisionLanguageModel model;

  @BeforeAll
  static void open() {
    model =
        VisionLanguageModel.openEmbedded(
            ModelOptions.builder().threads(1).cacheFolder(TestCache.FOLDER).build());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static InputStream resource(String name) {
    return EmbeddedParityTest.class.getResourceAsStream("/parity/" + name);
  }

  static JsonNode json(String name) throws IOException {
    try (InputStream in = resource(name)) {
      return new ObjectMapper().readTree(in);
    }
  }

  static Stream<Arguments> settings() throws IOException {
    JsonNode root = json("parity.json");
    return stream(root.path("cases"))
        .flatMap(
            one ->
                stream(one.path("settings"))
                    .map(
                        setting ->
                            Arguments.of(
                                one.path("image").asText(),
                                setting.path("strategy").asText(),
                                prompt(root, one),
                                setting)));
  }

  /** Each of the seven settings on two of the images or three. */
  static Stream<Arguments> everyEighth() throws IOException {
    return Share.of(settings().toList(), 0, 8);
  }

  /** One of each strategy. */
  static Stream<Arguments> oneOfEach() throws IOException {
    return Share.of(settings().toList(), 1, 73);
  }

  private static Stream<JsonNode> stream(JsonNode array) {
    return IntStream.range(0, array.size()).mapToObj(array::get);
  }

  static ModelInput prompt(JsonNode root, JsonNode one) {
    int visual = root.path("visualTokens").asInt();
    int side = (int) Math.sqrt(visual);
    long[] ids = TinyLlava.longs(one.path("ids"));
    VisualSpan span = new VisualSpan(0, root.path("visualStart").asInt(), visual, side, side);
    return new ModelInput(
        ids,
        new TokenLayout(ids.length, List.of(span)),
        List.of(pixels(one.path("image").asText())));
  }

  private static PixelValues pixels(String name) {
    try (InputStream in = resource(name)) {
      BufferedImage image = ImageIO.read(in);
      int area = image.getWidth() * image.getHeight();
      FloatBuffer data =
          ByteBuffer.allocateDirect(3 * area * Float.BYTES)
              .order(ByteOrder.nativeOrder())
              .asFloatBuffer();
      for (int i = 0; i < area; i++) {
        int rgb = image.getRGB(i % image.getWidth(), i / image.getWidth());
        for (int channel = 0; channel < 3; channel++) {
          int value = rgb >> (16 - 8 * channel) & 0xFF;
          data.put(channel * area + i, value / 127.5f - 1);
        }
      }
      return new PixelValues(data, new long[] {1, 3, image.getHeight(), image.getWidth()});
    } catch (IOException e) {
      throw new IllegalStateException(name, e);
    }
  }

  static float[] logits(JsonNode setting) {
    byte[] bytes = Base64.getDecoder().decode(setting.path("logits").asText());
    float[] values = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  private static Generation generate(ModelInput prompt, String spec) {
    return model.generate(
        prompt,
        Strategies.parse(spec),
        GenerationOptions.builder().maxNewTokens(8).keepFirstLogits(true).build());
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("everyEighth")
  void keepsTheSameTokensAndGivesTheSameLogits(
      String image, String spec, ModelInput prompt, JsonNode expected) {
    Generation made = generate(prompt, spec);
    List<SiteTrace> sites = made.trace().sites();
    if (!spec.equals("none")) {
      assertThat(sites).hasSize(1);
      assertThat(sites.get(0).keptOriginal())
          .containsExactly(TinyLlava.ints(expected.path("kept")));
    }
    assertThat(made.firstLogits()).containsExactly(logits(expected), offset(TOLERANCE));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("oneOfEach")
  void keepingAllEqualsUnpruned(String image, String spec, ModelInput prompt, JsonNode expected) {
    Generation unpruned = generate(prompt, "none");
    Generation whole = generate(prompt, spec.replaceAll("keep=[0-9.]+", "keep=1.0"));
    assertThat(whole.tokens()).containsExactly(unpruned.tokens());
    assertThat(whole.firstLogits()).containsExactly(unpruned.firstLogits(), offset(1e-5f));
  }

  @Test
  void coversTwentyImagesAndThreeSettingsOfEachStrategy() throws IOException {
    List<String> specs = settings().map(arguments -> (String) arguments.get()[1]).toList();
    assertThat(specs.stream().filter(spec -> spec.startsWith("fastv:"))).hasSize(60);
    assertThat(specs.stream().filter(spec -> spec.startsWith("fastervlm:"))).hasSize(60);
    assertThat(specs.stream().filter(spec -> spec.equals("none"))).hasSize(20);
  }
}

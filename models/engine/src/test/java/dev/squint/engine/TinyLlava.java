package dev.squint.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.fixtures.TestCache;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.site.PositionPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The random-weight fixture and the prompt that PyTorch computed its reference values for. */
public final class TinyLlava {

  public static final int LAYERS = 4;
  public static final int VISUAL = 16;
  static final int FIRST_VISUAL = 3;

  private static final int SIDE = 32;
  private static final JsonNode REFERENCE = read();

  private TinyLlava() {}

  public static Path folder() {
    try {
      return Path.of(TinyLlava.class.getResource("/tiny-llava").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  public static ModelOptions options() {
    return ModelOptions.builder().threads(1).cacheFolder(TestCache.FOLDER).build();
  }

  public static VisionLanguageModel open() {
    return VisionLanguageModel.open(folder(), options());
  }

  public static JsonNode reference() {
    return REFERENCE;
  }

  private static JsonNode read() {
    try {
      return new ObjectMapper().readTree(folder().resolve("reference.json").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static ModelInput prompt() {
    long[] ids = longs(reference().path("ids"));
    TokenLayout layout =
        new TokenLayout(ids.length, List.of(new VisualSpan(0, FIRST_VISUAL, VISUAL, 4, 4)));
    return new ModelInput(ids, layout, List.of(pixels()));
  }

  /** Two images, one text token between them. */
  public static ModelInput twoImages() {
    long[] one = longs(reference().path("ids"));
    int after = FIRST_VISUAL + VISUAL;
    long[] ids = new long[one.length + VISUAL + 1];
    System.arraycopy(one, 0, ids, 0, after);
    ids[after] = 7;
    System.arraycopy(one, FIRST_VISUAL, ids, after + 1, one.length - FIRST_VISUAL);
    TokenLayout layout =
        new TokenLayout(
            ids.length,
            List.of(
                new VisualSpan(0, FIRST_VISUAL, VISUAL, 4, 4),
                new VisualSpan(1, after + 1, VISUAL, 4, 4)));
    FloatBuffer first = pixels().data();
    FloatBuffer both =
        ByteBuffer.allocateDirect(2 * first.capacity() * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    for (int i = 0; i < both.capacity(); i++) {
      both.put(i, i < first.capacity() ? first.get(i) : i * 53 % 97 / 48.0f - 1);
    }
    return new ModelInput(
        ids, layout, List.of(new PixelValues(both, new long[] {2, 3, SIDE, SIDE})));
  }

  public static ModelInput textPrompt(int tokens) {
    long[] ids = new long[tokens];
    Arrays.fill(ids, 7);
    return new ModelInput(ids, new TokenLayout(tokens, List.of()), List.of());
  }

  public static PixelValues pixels() {
    FloatBuffer data =
        ByteBuffer.allocateDirect(3 * SIDE * SIDE * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    for (int i = 0; i < data.capacity(); i++) {
      data.put(i, i * 37 % 101 / 50.0f - 1);
    }
    return new PixelValues(data, new long[] {1, 3, SIDE, SIDE});
  }

  public static GenerationOptions sixTokens() {
    return GenerationOptions.builder().maxNewTokens(6).keepFirstLogits(true).build();
  }

  /**
   * Whether a model drops the tokens of the first reference case and then says what PyTorch says.
   */
  public static boolean answersAsPyTorchDoes(VisionLanguageModel model) {
    JsonNode expected = reference().path("dropped").get(0);
    TestStrategy strategy =
        TestStrategy.fixed(
            expected.path("layer").asInt(),
            PositionPolicy.ORIGINAL,
            ints(expected.path("keptVisual")));
    long[] tokens = model.generate(prompt(), strategy, sixTokens()).tokens();
    return Arrays.equals(tokens, longs(expected.path("greedy"))) && model.openTensors() == 0;
  }

  public static long[] longs(JsonNode array) {
    long[] values = new long[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asLong();
    }
    return values;
  }

  public static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }

  public static float[] floats(JsonNode array) {
    float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) array.get(i).asDouble();
    }
    return values;
  }
}

package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.ThreadMXBean;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.GenerationRequest;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.engine.request.SamplingOptions;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a generated token costs on the heap, objects that ONNX Runtime makes there included. */
class HeapPerTokenTest {

  private static final Path TINY = Path.of("..", "tiny", "src", "main", "resources", "squint-tiny");
  private static final int FEW = 8;
  private static final int MANY = 72;
  private static final int BAR = 4 << 10;

  @TempDir static Path folder;
  private static VisionLanguageModel model;

  /** The embedded model, without an end to its answers. */
  @BeforeAll
  static void open() throws IOException {
    try (var files = Files.walk(TINY)) {
      for (Path file : files.toList()) {
        Path copy = folder.resolve(TINY.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(copy);
        } else {
          Files.copy(file, copy);
        }
      }
    }
    Path settings = folder.resolve("generation_config.json");
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(settings.toFile());
    json.remove("eos_token_id");
    Files.writeString(settings, json.toString());
    model =
        VisionLanguageModel.open(
            folder, ModelOptions.builder().threads(1).cacheFolder(folder.resolve("cache")).build());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static ModelInput prompt() {
    int visual = model.config().visualTokens();
    int side = model.config().vision().imageSize();
    int grid = side / model.config().vision().patchSize();
    long[] ids = new long[visual + 6];
    Arrays.setAll(ids, i -> 5 + i % 7);
    Arrays.fill(ids, 2, 2 + visual, model.config().imageToken());
    FloatBuffer pixels =
        ByteBuffer.allocateDirect(3 * side * side * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    return new ModelInput(
        ids,
        new TokenLayout(ids.length, List.of(new VisualSpan(0, 2, visual, grid, grid))),
        List.of(new PixelValues(pixels, new long[] {1, 3, side, side})));
  }

  /** Splits the decoder without dropping anything. */
  private static TestStrategy split(int segments) {
    return new TestStrategy(
        "split",
        IntStream.range(1, segments)
            .mapToObj(
                layer ->
                    new SitePlan(
                        new Site.BeforeLayer(layer),
                        Set.of(),
                        PositionPolicy.ORIGINAL,
                        (context, observations) ->
                            new Selection(
                                IntStream.range(0, context.visualTokens()).toArray(),
                                new float[0])))
            .toList());
  }

  private static long perToken(int segments, SamplingOptions sampling) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();
    List<Long> allocated = new ArrayList<>();
    GenerationRequest request =
        GenerationRequest.builder(prompt())
            .strategy(split(segments))
            .options(GenerationOptions.builder().maxNewTokens(MANY).sampling(sampling).build())
            .listener(token -> allocated.add(threads.getThreadAllocatedBytes(thread)))
            .build();
    long least = Long.MAX_VALUE;
    for (int run = 0; run < 2; run++) {
      allocated.clear();
      model.generate(request);
      assertThat(allocated).hasSize(MANY);
      least = Math.min(least, (allocated.get(MANY - 1) - allocated.get(FEW)) / (MANY - 1 - FEW));
    }
    return least;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 8})
  void theBestTokenTakesLittle(int segments) {
    assertThat(perToken(segments, SamplingOptions.greedy())).isLessThanOrEqualTo(BAR);
  }

  @Test
  void aDrawnTokenTakesLittle() {
    assertThat(perToken(1, SamplingOptions.builder().temperature(0.7).topP(0.9).build()))
        .isLessThanOrEqualTo(BAR);
  }
}

package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.engine.OpenTinyLlava;
import dev.squint.engine.TestStrategy;
import dev.squint.engine.TinyLlava;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What cannot work is refused in one sentence, and nothing native stays open. */
class RefusalTest {

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  @TempDir Path temp;

  private Path copy() throws IOException {
    Path source = TinyLlava.folder();
    try (Stream<Path> files = Files.walk(source)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = temp.resolve(source.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
    return temp;
  }

  private static void refusesFolder(Path folder, String... parts) {
    assertThatThrownBy(() -> VisionLanguageModel.open(folder, TinyLlava.options()).close())
        .isInstanceOf(ModelException.class)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n").contains(parts));
  }

  private static void refuses(TestStrategy strategy, String... parts) {
    assertThatThrownBy(
            () -> TINY.model().generate(TinyLlava.prompt(), strategy, TinyLlava.sixTokens()))
        .isInstanceOf(ModelException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  @Test
  void missingFolder() {
    refusesFolder(temp.resolve("nowhere"), "no such model folder", "nowhere");
  }

  @Test
  void missingFiles() throws IOException {
    refusesFolder(temp, "no such file", "config.json");
    for (String graph : List.of("vision_encoder", "embed_tokens", "decoder_model_merged")) {
      Path file = copy().resolve("onnx/" + graph + ".onnx");
      Files.delete(file);
      refusesFolder(temp, "no such file", graph + ".onnx");
      try (Stream<Path> tree = Files.walk(temp)) {
        for (Path path : tree.filter(Files::isRegularFile).toList()) {
          Files.delete(path);
        }
      }
    }
  }

  @Test
  void unreadableGraph() throws IOException {
    Path file = copy().resolve("onnx/decoder_model_merged.onnx");
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 1000));
    refusesFolder(temp, "decoder_model_merged.onnx", "not a readable ONNX file");
    Files.writeString(file, "this is not a graph, it is a sentence");
    refusesFolder(temp, "decoder_model_merged.onnx", "not a readable ONNX file");
    Files.write(file, new byte[0]);
    refusesFolder(temp, "decoder_model_merged.onnx", "is empty");
  }

  @Test
  void truncatedExternalData() throws IOException {
    Path data = copy().resolve("onnx/decoder_model_merged.onnx_data");
    byte[] whole = Files.readAllBytes(data);
    Files.write(data, new byte[100]);
    refusesFolder(temp, "decoder_model_merged.onnx_data", "which has only 100");
    Files.write(data, whole);
    try (VisionLanguageModel broken = VisionLanguageModel.open(temp, TinyLlava.options())) {
      Files.write(data, new byte[100]);
      assertThatThrownBy(
              () -> broken.generate(TinyLlava.prompt(), TestStrategy.none(), TinyLlava.sixTokens()))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("decoder_model_merged.onnx_data has changed since the model was");
      assertThat(broken.openTensors()).isZero();
    }
  }

  @Test
  void unreadableConfig() throws IOException {
    Path config = copy().resolve("config.json");
    String text = Files.readString(config);
    Files.writeString(config, "{ not json");
    refusesFolder(temp, "config.json is not valid JSON");
    Files.writeString(config, text.replace("\"num_hidden_layers\": 4", "\"num_hidden_layers\": 7"));
    refusesFolder(temp, "config.json says 7 decoder layers, but the decoder has 4");
    Files.writeString(config, text.replace("\"image_token_index\"", "\"something_else\""));
    refusesFolder(temp, "image_token_index");
    Files.writeString(config, text.replace("\"patch_size\": 8", "\"patch_size\": 0"));
    refusesFolder(temp, "vision_config.patch_size");
  }

  @Test
  void aGraphThatIsNoDecoder() {
    Path vision = TinyLlava.folder().resolve("onnx/vision_encoder.onnx");
    assertThatThrownBy(() -> new DecoderGraph(OnnxGraph.read(vision)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("has not an input 'inputs_embeds'");
  }

  @Test
  void anEmbeddedModelThatIsNotThere() {
    assertThatThrownBy(() -> new EmbeddedModel("no-such-model"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("does not contain the embedded model 'no-such-model'");
  }

  @Test
  void sitesOutsideTheDecoder() {
    refuses(
        TestStrategy.fixed(40, PositionPolicy.ORIGINAL, 1),
        "strategy 'fixed' cannot act on tiny-llava",
        "before layer 40",
        "choose 1..3");
  }

  @Test
  void sitesOutOfOrder() {
    List<SitePlan> sites =
        new ArrayList<>(TestStrategy.fixed(2, PositionPolicy.ORIGINAL, 1).sites());
    sites.addAll(TestStrategy.fixed(1, PositionPolicy.ORIGINAL, 0).sites());
    refuses(new TestStrategy("mixed", sites), "not in ascending order");
  }

  @Test
  void attentionThatIsNotKnownAtTheSite() {
    Expression late = Observe.textToVisualAttention(3, Rows.LAST);
    refuses(
        new TestStrategy("late", List.of(TestStrategy.topBy(new Site.BeforeLayer(2), late, 3))),
        "attention of decoder layer 3",
        "only layers 0..1 run");
    refuses(
        new TestStrategy("early", List.of(TestStrategy.topBy(new Site.AfterVision(), late, 3))),
        "only layers none run");
    Expression cls = Observe.clsAttention(9);
    refuses(
        new TestStrategy("deep", List.of(TestStrategy.topBy(new Site.AfterVision(), cls, 3))),
        "[CLS] attention of vision layer 9",
        "0..1");
  }

  @Test
  void selectionsThatDoNotFit() {
    refuses(
        TestStrategy.fixed(2, PositionPolicy.ORIGINAL, 3, 16),
        "strategy 'fixed' at before-layer(2)",
        "keeps token 16",
        "16 visual tokens are alive");
    SitePlan scores =
        new SitePlan(
            new Site.BeforeLayer(2),
            Set.of(),
            PositionPolicy.ORIGINAL,
            (context, observations) -> new Selection(new int[] {1}, new float[] {1, 2}));
    refuses(
        new TestStrategy("short", List.of(scores)),
        "strategy 'short' at before-layer(2)",
        "scores 2");
    SitePlan merging =
        new SitePlan(
            new Site.BeforeLayer(2),
            Set.of(),
            PositionPolicy.ORIGINAL,
            (context, observations) ->
                Selection.of(new int[] {1}).withMerged(List.of(MergedToken.mean(1, 1, 2))));
    refuses(
        new TestStrategy("secretive", List.of(merging)),
        "strategy 'secretive' merges tokens at before-layer(2)",
        "set merges in the site plan");
  }

  @Test
  void aStrategyThatFailsLeavesNothingOpen() {
    SitePlan site =
        new SitePlan(
            new Site.BeforeLayer(2),
            Set.of(),
            PositionPolicy.ORIGINAL,
            (context, observations) -> {
              throw new IllegalStateException("no idea");
            });
    assertThatThrownBy(
            () ->
                TINY.model()
                    .generate(
                        TinyLlava.prompt(),
                        new TestStrategy("failing", List.of(site)),
                        TinyLlava.sixTokens()))
        .hasMessage("no idea");
  }

  @Test
  void promptsThatDoNotFit() {
    assertThatThrownBy(
            () ->
                TINY.model()
                    .generate(
                        TinyLlava.textPrompt(97),
                        TestStrategy.none(),
                        GenerationOptions.defaults()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("the prompt has 97 tokens")
        .hasMessageContaining("96 tokens");
    ModelInput alien = new ModelInput(new long[] {1, 64}, new TokenLayout(2, List.of()), List.of());
    assertThatThrownBy(
            () -> TINY.model().generate(alien, TestStrategy.none(), GenerationOptions.defaults()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("token 64")
        .hasMessageContaining("0..63");
  }

  @Test
  void imagesThatDoNotFit() {
    TokenLayout twoTokens = new TokenLayout(4, List.of(new VisualSpan(0, 1, 2, 1, 2)));
    ModelInput few =
        new ModelInput(new long[] {1, 3, 3, 7}, twoTokens, List.of(TinyLlava.pixels()));
    assertThatThrownBy(
            () -> TINY.model().generate(few, TestStrategy.none(), GenerationOptions.defaults()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("gives 16 visual tokens, but the prompt has 2 image placeholders");
    FloatBuffer small = ByteBuffer.allocateDirect(3 * 4 * 4 * Float.BYTES).asFloatBuffer();
    PixelValues pixels = new PixelValues(small, new long[] {1, 3, 4, 4});
    ModelInput tiny =
        new ModelInput(TinyLlava.prompt().tokenIds(), TinyLlava.prompt().layout(), List.of(pixels));
    assertThatThrownBy(
            () -> TINY.model().generate(tiny, TestStrategy.none(), GenerationOptions.defaults()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("[images, 3, 32, 32], got [1, 3, 4, 4]");
    assertThatThrownBy(() -> new PixelValues(small, new long[] {1, 3, 5, 4}))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("need 60 floats, got 48");
    assertThatThrownBy(
            () ->
                new ModelInput(
                    new long[] {1}, new TokenLayout(1, List.of()), List.of(TinyLlava.pixels())))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("no token of the prompt stands for it");
    assertThatThrownBy(() -> new ModelInput(new long[] {1, 3, 3, 7}, twoTokens, List.of()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("no image is given");
    assertThatThrownBy(() -> new ModelInput(new long[0], new TokenLayout(0, List.of()), List.of()))
        .isInstanceOf(RuntimeException.class);
  }

  @Test
  void aClosedModel() {
    VisionLanguageModel closed = TinyLlava.open();
    closed.close();
    closed.close();
    assertThatThrownBy(
            () -> closed.generate(TinyLlava.prompt(), TestStrategy.none(), TinyLlava.sixTokens()))
        .isInstanceOf(ModelException.class)
        .hasMessage("the model is closed; load it again");
  }

  @Test
  void closingWaitsForTheCallsUnderWay() throws Exception {
    VisionLanguageModel busy = TinyLlava.open();
    CountDownLatch inside = new CountDownLatch(1);
    SitePlan slow =
        new SitePlan(
            new Site.BeforeLayer(2),
            Set.of(),
            PositionPolicy.ORIGINAL,
            (context, observations) -> {
              inside.countDown();
              sleep();
              return new Selection(new int[] {1, 2}, new float[0]);
            });
    var answer =
        CompletableFuture.supplyAsync(
            () ->
                busy.generate(
                    TinyLlava.prompt(),
                    new TestStrategy("slow", List.of(slow)),
                    TinyLlava.sixTokens()));
    inside.await();
    busy.close();
    assertThat(answer.get(2, TimeUnit.MINUTES).tokens()).hasSize(6);
    assertThat(busy.openTensors()).isZero();
  }

  private static void sleep() {
    try {
      Thread.sleep(200);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}

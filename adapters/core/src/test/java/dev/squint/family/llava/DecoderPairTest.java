package dev.squint.family.llava;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.engine.StrategySupport;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.GenerationRequest;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PromptCache;
import dev.squint.error.ModelException;
import dev.squint.onnx.config.ModelFiles;
import dev.squint.onnx.split.ModelSplitter;
import dev.squint.onnx.split.SplitOptions;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.layout.TokenLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A decoder in two files, of which one takes the prompt and the other each token after it, answers
 * as the same decoder in one file.
 */
class DecoderPairTest {

  private static final String NAME = "interleave";
  private static final Path PAIR = Path.of("../../models/fixtures/data/families/interleave-pair");

  @TempDir static Path shared;

  private static FamilyFixture two;
  private static FamilyFixture one;

  @BeforeAll
  static void open() throws IOException {
    two = FamilyFixture.open(pair(shared.resolve("pair")));
    one = FamilyFixture.open(FamilyFixture.copy(NAME, shared.resolve("one")));
  }

  @AfterAll
  static void close() {
    try (FamilyFixture first = two;
        FamilyFixture second = one) {
      assertThat(first.model().openTensors()).isZero();
      assertThat(second.model().openTensors()).isZero();
    }
  }

  private static Path pair(Path target) throws IOException {
    Path folder = FamilyFixture.copy(NAME, target);
    Files.delete(folder.resolve("onnx/decoder_model_merged.onnx"));
    for (String file : List.of("decoder_model.onnx", "decoder_with_past_model.onnx")) {
      Files.copy(PAIR.resolve(file), folder.resolve("onnx").resolve(file));
    }
    return folder;
  }

  @Test
  void answersAreThoseOfPyTorchWholeAndPruned() {
    FamilyFixture.each(NAME, "cases").forEach(two::requireAnswer);
    JsonNode chat = FamilyFixture.reference(NAME).path("cases").get(0).path("chat");
    FamilyFixture.each(NAME, "pruned").forEach(pruned -> two.requirePruned(chat, pruned));
  }

  /** Splits at several layers, attention ahead of a layer, and what leaves the KV cache. */
  @ParameterizedTest
  @ValueSource(strings = {"pyramiddrop", "sparsevlm", "kv-quant", "avl", "sparsemm"})
  void everyKindOfStrategyAnswersAsOnOneFile(String spec) {
    JsonNode chat = FamilyFixture.reference(NAME).path("cases").get(0).path("chat");
    Generation expected = one.answer(one.prompt(chat), spec);
    Generation made = two.answer(two.prompt(chat), spec);
    assertThat(made.tokens()).isEqualTo(expected.tokens());
    assertThat(made.trace().tokensPerLayer()).isEqualTo(expected.trace().tokensPerLayer());
    assertThat(made.trace().decodeFlops()).isEqualTo(expected.trace().decodeFlops());
  }

  /** The text of a second turn runs token by token after what the first turn left. */
  @Test
  void aFurtherTurnGoesOnFromTheCacheOfTheFirst() {
    JsonNode chat = FamilyFixture.reference(NAME).path("cases").get(2).path("chat");
    try (PromptCache kept = two.model().newCache();
        PromptCache expected = one.model().newCache()) {
      assertThat(secondTurn(two, chat, kept).tokens())
          .isEqualTo(secondTurn(one, chat, expected).tokens());
    }
  }

  private static Generation secondTurn(FamilyFixture fixture, JsonNode chat, PromptCache cache) {
    ModelInput whole = fixture.prompt(chat);
    int first = whole.layout().length() - 9;
    ModelInput begin =
        new ModelInput(
            Arrays.copyOf(whole.tokenIds(), first),
            new TokenLayout(first, whole.layout().visual()),
            whole.images());
    Generation last = null;
    for (ModelInput prompt : List.of(begin, whole)) {
      last =
          fixture
              .model()
              .generate(
                  GenerationRequest.builder(prompt)
                      .strategy(Strategies.parse("fastv:k=2,keep=0.5"))
                      .cache(cache, GenerationRequest.CacheReuse.KEEP_SELECTION)
                      .options(GenerationOptions.builder().maxNewTokens(8).build())
                      .build());
    }
    assertThat(last.trace().reusedTokens()).isGreaterThan(whole.layout().visualTokens());
    return last;
  }

  @Test
  void inspectAndDownloadKnowBothFiles() {
    StrategySupport support = StrategySupport.of(two.model().folder(), "");
    assertThat(support.model().graphs())
        .extracting(graph -> graph.file().getFileName().toString())
        .contains("decoder_model.onnx", "decoder_with_past_model.onnx");
    assertThat(support.strategies().get("fastv")).isEmpty();
    assertThat(
            ModelFiles.graphs(
                Set.of(
                    "onnx/decoder_model.onnx",
                    "onnx/decoder_with_past_model.onnx",
                    "onnx/vision_encoder.onnx",
                    "onnx/embed_tokens.onnx"),
                ""))
        .contains("onnx/decoder_model.onnx", "onnx/decoder_with_past_model.onnx");
  }

  @Test
  void oneWithoutTheOtherIsRefused(@TempDir Path temp) throws IOException {
    Path folder = pair(temp);
    Files.delete(folder.resolve("onnx/decoder_model.onnx"));
    assertThatThrownBy(
            () -> VisionLanguageModel.open(folder, ModelOptions.builder().threads(1).build()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("takes exactly 1 tokens at once")
        .hasMessageContaining("put the decoder_model.onnx of the same export beside it");
  }

  /** Its segments would take one token at a time. */
  @Test
  void itIsNotSplitIntoFiles(@TempDir Path temp) {
    Path target = temp.resolve("split");
    SplitOptions options = SplitOptions.at(Set.of(2)).build();
    assertThatThrownBy(() -> ModelSplitter.split(two.model().folder(), "", options, target))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("takes one token at a time");
  }
}

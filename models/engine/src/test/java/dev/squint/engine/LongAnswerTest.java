package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.SamplingOptions;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.site.PositionPolicy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Answers so long that their KV cache outgrows its room. */
class LongAnswerTest {

  private static final int TOKENS = 70;
  private static final int SHOWN = 66;

  @TempDir Path temp;

  static Stream<TestStrategy> strategies() {
    return Stream.of(
        TestStrategy.none(), TestStrategy.fixed(2, PositionPolicy.ORIGINAL, 0, 3, 4, 9, 15));
  }

  private VisionLanguageModel withoutEnd() throws IOException {
    return TinyFolder.in(temp)
        .json("generation_config.json", root -> root.remove("eos_token_id"))
        .open();
  }

  /** A step that reads the cache in the wrong place, or loses some of it, answers otherwise. */
  @ParameterizedTest
  @MethodSource("strategies")
  void goOnAsIfTheirBeginningHadBeenThePrompt(TestStrategy strategy) throws IOException {
    GenerationOptions options = GenerationOptions.builder().maxNewTokens(TOKENS).build();
    try (VisionLanguageModel model = withoutEnd()) {
      ModelInput prompt = TinyLlava.prompt();
      long[] answer = model.generate(prompt, strategy, options).tokens();
      assertThat(answer).hasSize(TOKENS);
      long[] shown =
          LongStream.concat(Arrays.stream(prompt.tokenIds()), Arrays.stream(answer).limit(SHOWN))
              .toArray();
      ModelInput longer =
          new ModelInput(
              shown, new TokenLayout(shown.length, prompt.layout().visual()), prompt.images());
      Generation rest =
          model.generate(
              longer, strategy, options.toBuilder().maxNewTokens(TOKENS - SHOWN).build());
      assertThat(rest.tokens()).containsExactly(Arrays.copyOfRange(answer, SHOWN, TOKENS));
      assertThat(model.openTensors()).isZero();
    }
  }

  @Test
  void drawnAnswersFollowTheirSeedAndReadScoresInEveryStep() throws IOException {
    try (VisionLanguageModel model = withoutEnd()) {
      SamplingOptions.Builder warm = SamplingOptions.builder().temperature(1.5).topK(0);
      long[] one = drawn(model, warm.seed(1).build());
      assertThat(drawn(model, warm.seed(1).build())).containsExactly(one);
      assertThat(drawn(model, warm.seed(2).build())).isNotEqualTo(one);
      long[] best = drawn(model, SamplingOptions.greedy());
      assertThat(drawn(model, SamplingOptions.builder().topK(1).build())).containsExactly(best);
      assertThat(drawn(model, SamplingOptions.builder().topP(1e-9).build())).containsExactly(best);
      assertThat(one).isNotEqualTo(best);
    }
  }

  private static long[] drawn(VisionLanguageModel model, SamplingOptions sampling) {
    return model
        .generate(
            TinyLlava.prompt(),
            TestStrategy.none(),
            GenerationOptions.builder().maxNewTokens(20).sampling(sampling).build())
        .tokens();
  }
}

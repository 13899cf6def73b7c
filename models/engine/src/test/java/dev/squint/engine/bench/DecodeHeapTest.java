package dev.squint.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.SamplingOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a generated token costs on the heap in a decoder of many layers and tokens. */
class DecodeHeapTest {

  private static final int BAR = 4 << 10;

  @TempDir static Path folder;
  private static SyntheticModel model;
  private static VisionLanguageModel open;

  @BeforeAll
  static void write() throws IOException {
    model = SyntheticModel.write(folder, DecoderSizes.THIN, SyntheticDecoder.Encoding.FUSED, 4);
    open =
        VisionLanguageModel.open(
            folder, ModelOptions.builder().threads(1).cacheFolder(folder.resolve("cache")).build());
  }

  @AfterAll
  static void close() {
    open.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void theBestTokenTakesAsMuchForManyLayersAsForFew(int segments) {
    assertThat(DecodeTimes.heap(open, model, segments, SamplingOptions.greedy()))
        .isLessThanOrEqualTo(BAR);
  }

  @Test
  void aDrawnTokenCopiesNoScores() {
    SamplingOptions few = SamplingOptions.builder().temperature(0.7).topK(20).seed(5L).build();
    assertThat(DecodeTimes.heap(open, model, 1, few)).isLessThanOrEqualTo(BAR);
  }
}

package dev.squint.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.internal.ort.SharedWeights;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.pruning.strategies.decoder.FastV;
import dev.squint.pruning.trace.Trace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the benchmark measures is right before it is fast. */
class SyntheticDecoderTest {

  /** Matrices as large as those that a real decoder shares. */
  private static final DecoderSizes WIDE =
      new DecoderSizes("wide", 3, 512, 8, 4, 64, 1024, 256, true);

  private static final int GRID = 3;
  private static final int TEXT = 5;
  private static final int TOKENS = GRID * GRID + TEXT;

  @TempDir Path temp;

  @ParameterizedTest
  @EnumSource
  void everySplitComputesWhatTheFileComputes(SyntheticDecoder.Encoding encoding)
      throws IOException {
    SyntheticModel model = SyntheticModel.write(temp, DecoderSizes.TINY, encoding, GRID);
    float[] expected = logits(model, SegmentChain.Split.FILE);
    assertThat(expected).doesNotContain(Float.NaN);
    for (SegmentChain.Split split : SegmentChain.Split.values()) {
      assertThat(logits(model, split)).as("%s", split).containsExactly(expected, offset(1e-5f));
    }
  }

  private static float[] logits(SyntheticModel model, SegmentChain.Split split) {
    try (SegmentChain chain = SegmentChain.open(model.decoder(), model.sizes(), split, 1)) {
      return chain.prefill(TOKENS).lastRow();
    }
  }

  /** Sessions that use the same matrices at once compute what each computes with its own. */
  @ParameterizedTest
  @EnumSource
  void matricesCanBeShared(SyntheticDecoder.Encoding encoding) throws IOException {
    SyntheticModel model = SyntheticModel.write(temp, WIDE, encoding, GRID);
    float[] expected = logits(model, SegmentChain.Split.WHOLE);
    SharedWeights matrices = new SharedWeights();
    List<SegmentChain> chains = new ArrayList<>();
    try {
      int mapped = 0;
      for (SegmentChain.Split split :
          List.of(
              SegmentChain.Split.WHOLE,
              SegmentChain.Split.BEFORE_LAYER_2,
              SegmentChain.Split.EVERY_LAYER_WITH_SEAMS)) {
        chains.add(SegmentChain.open(model.decoder(), model.sizes(), split, 1, matrices));
        mapped = mapped == 0 ? matrices.mappedMatrices() : mapped;
        assertThat(matrices.mappedMatrices()).as("%s", split).isEqualTo(mapped).isPositive();
      }
      for (SegmentChain chain : chains) {
        assertThat(chain.prefill(TOKENS).lastRow()).containsExactly(expected, offset(1e-5f));
      }
      chains.remove(0).close();
      for (SegmentChain chain : chains) {
        assertThat(chain.prefill(TOKENS).lastRow()).containsExactly(expected, offset(1e-5f));
      }
    } finally {
      chains.forEach(SegmentChain::close);
    }
    assertThat(matrices.mappedMatrices()).isZero();
  }

  @Test
  void bothEncodingsComputeTheSame() throws IOException {
    SyntheticModel one =
        SyntheticModel.write(
            temp.resolve("one"), DecoderSizes.TINY, SyntheticDecoder.Encoding.DECOMPOSED, GRID);
    SyntheticModel other =
        SyntheticModel.write(
            temp.resolve("other"), DecoderSizes.TINY, SyntheticDecoder.Encoding.FUSED, GRID);
    assertThat(logits(one, SegmentChain.Split.FILE))
        .containsExactly(logits(other, SegmentChain.Split.FILE), offset(1e-5f));
  }

  @Test
  void theLibraryOpensAndPrunesIt() throws IOException {
    SyntheticModel model =
        SyntheticModel.write(temp, DecoderSizes.TINY, SyntheticDecoder.Encoding.DECOMPOSED, GRID);
    try (VisionLanguageModel open =
        VisionLanguageModel.open(model.folder(), ModelOptions.defaults())) {
      Trace trace =
          open.generate(
                  model.prompt(TEXT),
                  new FastV(2, 0.5),
                  GenerationOptions.builder().maxNewTokens(1).build())
              .trace();
      int kept = TOKENS - GRID * GRID + 4;
      assertThat(trace.tokensPerLayer()).containsExactly(TOKENS, TOKENS, kept);
    }
  }
}

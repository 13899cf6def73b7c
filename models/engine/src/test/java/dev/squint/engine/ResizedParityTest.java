package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.fixtures.TestCache;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The embedded model on images of other sizes, against what PyTorch computed with transformers'
 * interpolated position embeddings: {@code models/fixtures/make_resized.py}.
 */
class ResizedParityTest {

  private static final int PATCH = 8;

  @Test
  void logitsAreThoseOfPyTorchAtEverySize() throws IOException {
    JsonNode reference =
        new ObjectMapper().readTree(ResizedParityTest.class.getResourceAsStream("/resized.json"));
    ModelOptions options = ModelOptions.builder().threads(1).cacheFolder(TestCache.FOLDER).build();
    try (VisionLanguageModel model = VisionLanguageModel.openEmbedded(options)) {
      assertThat(model.takesAnySize()).isTrue();
      assertThat(reference.path("cases")).hasSize(4);
      for (JsonNode one : reference.path("cases")) {
        float[] logits =
            model
                .generate(
                    prompt(reference, one.path("height").intValue(), one.path("width").intValue()),
                    Strategies.parse("none"),
                    GenerationOptions.builder().maxNewTokens(1).keepFirstLogits(true).build())
                .firstLogits();
        FloatBuffer expected =
            ByteBuffer.wrap(Base64.getDecoder().decode(one.path("logits").asText()))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        assertThat(logits).hasSize(expected.remaining());
        for (float logit : logits) {
          assertThat(logit).isCloseTo(expected.get(), offset(1e-3f));
        }
      }
    }
  }

  @Test
  void anEncoderOfFixedSizeSaysSo() {
    try (VisionLanguageModel fixed = TinyLlava.open()) {
      assertThat(fixed.takesAnySize()).isFalse();
    }
  }

  private static ModelInput prompt(JsonNode reference, int height, int width) {
    long[] prefix = TinyLlava.longs(reference.path("prefix"));
    long[] tail = TinyLlava.longs(reference.path("tail"));
    int visual = height / PATCH * (width / PATCH);
    long[] ids = new long[prefix.length + visual + tail.length];
    Arrays.fill(ids, reference.path("image").longValue());
    System.arraycopy(prefix, 0, ids, 0, prefix.length);
    System.arraycopy(tail, 0, ids, prefix.length + visual, tail.length);
    VisualSpan span = new VisualSpan(0, prefix.length, visual, height / PATCH, width / PATCH);
    FloatBuffer pixels =
        ByteBuffer.allocateDirect(3 * height * width * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    for (int i = 0; i < pixels.capacity(); i++) {
      pixels.put(i, (float) (i * 37L % 101) / 50 - 1);
    }
    return new ModelInput(
        ids,
        new TokenLayout(ids.length, List.of(span)),
        List.of(new PixelValues(pixels, new long[] {1, 3, height, width})));
  }
}

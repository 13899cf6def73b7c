package dev.squint.pruning.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.VisionShape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class FlopsModelTest {

  /** 2 layers, hidden 8, 2 query heads and 1 key head of width 4, MLP 16, vocabulary 10. */
  private static final DecoderShape SMALL = new DecoderShape(2, 8, 2, 1, 4, 16, 10);

  private static final DecoderShape LLAMA_7B =
      new DecoderShape(32, 4096, 32, 32, 128, 11008, 32000);

  @Test
  void prefillByHand() {
    // One layer, 3 tokens. q and o: 2 * (2*3*8*8) = 768. k and v: 2 * (2*3*8*4) = 384.
    // QK and PV: 2 * (2*3*8*3) = 288. MLP: 3 * (2*3*8*16) = 2304, for one token 768.
    // First layer 768+384+288+2304 = 3744, last 768+384+288+768 = 2208, output 2*8*10 = 160.
    assertThat(FlopsModel.prefill(SMALL, new int[] {3, 3})).isEqualTo(3744 + 2208 + 160);
    // Last layer with 2 tokens: 512 + 256 + 2*(2*2*8*2)=128, + 768 = 1664.
    assertThat(FlopsModel.prefill(SMALL, new int[] {3, 2})).isEqualTo(3744 + 1664 + 160);
  }

  @Test
  void decodeStepByHand() {
    // Projections 2*(2*8*8) + 2*(2*8*4) = 384, MLP 768, attention 2*(2*8*keys): 160 for 5, 96 for
    // 3.
    assertThat(FlopsModel.decodeStep(SMALL, new int[] {5, 3}))
        .isEqualTo(384 + 768 + 160 + 384 + 768 + 96 + 160);
  }

  @Test
  void visionByHand() {
    // 4 patches of 12 values and [CLS]: width 6, MLP 10, 3 layers, projector 6 -> 7 -> 8.
    VisionShape vision =
        VisionShape.builder()
            .layers(3)
            .hidden(6)
            .heads(2)
            .intermediate(10)
            .grid(2, 2)
            .patchDim(12)
            .cls(true)
            .projectorHidden(7)
            .build();
    // Embedding 2*4*12*6 = 576. Layer: 4*(2*5*6*6) = 1440, 2*(2*5*6*5) = 600, 2*(2*5*6*10) = 1200.
    // Projector 2*4*6*7 = 336 and 2*4*7*8 = 448.
    assertThat(FlopsModel.vision(vision, 8)).isEqualTo(576 + 3 * (1440 + 600 + 1200) + 336 + 448);
    VisionShape bare = vision.toBuilder().cls(false).build();
    // 4 tokens: 1152 + 384 + 960.
    assertThat(FlopsModel.vision(bare, 8)).isEqualTo(576 + 3 * (1152 + 384 + 960) + 336 + 448);
  }

  @Test
  void joinedPatchesAndOneMatrixByHand() {
    VisionShape joined =
        VisionShape.builder()
            .layers(3)
            .hidden(6)
            .heads(2)
            .intermediate(10)
            .grid(2, 2)
            .patchDim(12)
            .patchesPerToken(4)
            .projectorHidden(0)
            .build();
    // One token of 4 * 6 values to 8: 2*1*24*8 = 384.
    assertThat(FlopsModel.vision(joined, 8)).isEqualTo(576 + 3 * (1152 + 384 + 960) + 384);
  }

  /** The literature's f3 counts a multiply-add once: 4nd^2 + 2n^2 d + 3ndm per layer. */
  @Test
  void agreesWithTheLiteratureAtSevenBillion() {
    long n = 612;
    long d = 4096;
    long m = 11008;
    long f3 = 4 * n * d * d + 2 * n * n * d + 3 * n * d * m;
    long lastMlp = 3 * n * d * m - 3 * d * m;
    int[] tokens = new int[32];
    Arrays.fill(tokens, (int) n);
    assertThat(FlopsModel.prefill(LLAMA_7B, tokens)).isEqualTo(2 * (32 * f3 - lastMlp + d * 32000));
  }

  @Test
  void wrongNumberOfLayersIsRefused() {
    assertThatThrownBy(() -> FlopsModel.prefill(SMALL, new int[3]))
        .hasMessage("a decoder of 2 layers needs as many counts, not 3");
    assertThatThrownBy(() -> FlopsModel.decodeStep(SMALL, new int[1]))
        .hasMessage("a decoder of 2 layers needs as many counts, not 1");
  }
}

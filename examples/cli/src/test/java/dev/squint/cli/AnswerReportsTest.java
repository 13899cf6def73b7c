package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.ChatResponse;
import dev.squint.TokenUsage;
import dev.squint.engine.request.FinishReason;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.trace.Speedup;
import dev.squint.pruning.trace.Timings;
import dev.squint.pruning.trace.Trace;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Each figure of a trace is printed as what it is: all of them differ here. */
class AnswerReportsTest {

  private static final DecoderShape DECODER = new DecoderShape(2, 8, 2, 2, 4, 16, 32);

  private static ChatResponse answer(Optional<Speedup> speedup) {
    Trace trace =
        Trace.of("fastv:k=1,keep=0.5", "tiny")
            .prompt(40, 16)
            .tokensPerLayer(40, 32)
            .visionFlops(11_000_000)
            .prefillFlops(20_000_000, 50_000_000)
            .decodeFlops(3_000_000, 4_500_000)
            .timings(new Timings(400_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 5))
            .kvBytes(600, 700)
            .speedup(speedup)
            .notes(List.of("a note"))
            .build();
    return new ChatResponse("two", FinishReason.LENGTH, new TokenUsage(24, 16, 8, 5), trace);
  }

  @Test
  void aTextNamesEachFigure() {
    assertThat(TextReport.of(answer(Optional.empty()), DECODER, Optional.empty()).lines())
        .containsExactly(
            "strategy        fastv:k=1,keep=0.5 on tiny",
            "prompt          40 tokens, 16 of them visual",
            "prefill FLOPs   20.0 M of 50.0 M unpruned, 60 % saved",
            "decode FLOPs    3.0 M of 4.5 M unpruned, 33 % saved",
            "vision FLOPs    11.0 M, the same either way",
            "time            waiting 0.4 ms, preprocessing 0.5 ms, vision 1.0 ms, prefill 2.0 ms (selection 3.0 ms), decode 4.0 ms for 5 tokens",
            "KV cache        600 of 700 bytes unpruned, 14 % saved",
            "prefill speedup 2.50x predicted by FLOPs",
            "decode speedup  1.50x predicted by FLOPs",
            "note            a note",
            "ended           after 5 tokens, as many as were allowed");
  }

  @Test
  void aTextNamesEachMeasuredFigure() {
    ChatResponse answer = answer(Optional.of(new Speedup(2, 2.5, 1.2, 1.6)));
    assertThat(TextReport.of(answer, DECODER, Optional.empty()).lines())
        .contains(
            "prefill speedup 2.00x measured / 2.50x predicted by FLOPs = 0.80",
            "decode speedup  1.20x measured / 1.60x predicted by FLOPs = 0.75");
  }

  @Test
  void jsonNamesEachFigure() throws IOException {
    ChatResponse answer = answer(Optional.of(new Speedup(2, 2.5, 1.2, 1.6)));
    JsonNode root = new ObjectMapper().readTree(JsonReport.of(answer, "cpu", DECODER));
    assertThat(root.path("answer").asText()).isEqualTo("two");
    assertThat(root.path("finish").asText()).isEqualTo("length");
    assertThat(root.path("queueNanos").asLong()).isEqualTo(400_000);
    assertThat(root.path("preprocessingNanos").asLong()).isEqualTo(500_000);
    assertThat(root.path("visionNanos").asLong()).isEqualTo(1_000_000);
    assertThat(root.path("prefillNanos").asLong()).isEqualTo(2_000_000);
    assertThat(root.path("selectionNanos").asLong()).isEqualTo(3_000_000);
    assertThat(root.path("decodeNanos").asLong()).isEqualTo(4_000_000);
    assertThat(root.path("visionFlops").asLong()).isEqualTo(11_000_000);
    assertThat(root.path("prefillFlops").asLong()).isEqualTo(20_000_000);
    assertThat(root.path("unprunedPrefillFlops").asLong()).isEqualTo(50_000_000);
    assertThat(root.path("decodeFlops").asLong()).isEqualTo(3_000_000);
    assertThat(root.path("unprunedDecodeFlops").asLong()).isEqualTo(4_500_000);
    assertThat(root.path("kvBytes").asLong()).isEqualTo(600);
    assertThat(root.path("unprunedKvBytes").asLong()).isEqualTo(700);
    assertThat(root.path("prefillSpeedupMeasured").asDouble()).isEqualTo(2);
    assertThat(root.path("prefillSpeedupPredicted").asDouble()).isEqualTo(2.5);
    assertThat(root.path("prefillMeasuredOverPredicted").asDouble()).isEqualTo(0.8);
    assertThat(root.path("decodeSpeedupMeasured").asDouble()).isEqualTo(1.2);
    assertThat(root.path("decodeSpeedupPredicted").asDouble()).isEqualTo(1.6);
  }
}

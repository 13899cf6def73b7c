package dev.squint.engine.internal.ort;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ArenaPolicyTest {

  @ParameterizedTest
  @CsvSource({"0, 8, OWN", "0, 2, OWN", "0, 1, SHARED", "2, 8, SHARED", "1, 2, SHARED"})
  void onlyTheFirstSegmentOfSeveralLayersGetsAnArena(int from, int to, ArenaPolicy expected) {
    assertThat(ArenaPolicy.of(SegmentSpec.of(from, to))).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource
  void aSessionRunsWithEither(ArenaPolicy buffers) throws OrtException {
    OrtRuntime runtime = OrtRuntime.get(1);
    try (SessionOptions options = new SessionOptions()) {
      if (runtime.pooled()) {
        options.disablePerSessionThreads();
      }
      buffers.configure(options);
      try (OrtSession session = runtime.environment().createSession(ProbeGraph.bytes(), options)) {
        assertThat(session.getInputInfo()).isNotEqualTo(Map.of());
      }
    }
  }
}

package dev.squint.engine.internal.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.squint.engine.request.FinishReason;
import dev.squint.error.ModelException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs over tensors that are there, by the native method and by the public one: y is -x. */
class StandingRunTest {

  private final OrtRuntime runtime = OrtRuntime.get(0);
  private final TensorScope scope = new TensorScope(runtime, new AtomicInteger());
  private final FloatBuffer x = floats(1);
  private final FloatBuffer y = floats(1);
  private OrtSession graph;
  private ModelSession session;

  @BeforeEach
  void open() throws OrtException {
    graph = runtime.environment().createSession(ProbeGraph.bytes());
    session = new ModelSession(graph, "the probe", () -> {});
  }

  @AfterEach
  void close() {
    scope.close();
    session.close();
  }

  private static FloatBuffer floats(int count) {
    return ByteBuffer.allocateDirect(count * Float.BYTES)
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  private StandingRun standing(boolean natively) {
    return new StandingRun(
        session,
        graph,
        Map.of("x", scope.floats(x, 1)),
        Map.of("y", scope.floats(y, 1)),
        natively ? runtime.nativeRuns() : Optional.empty());
  }

  /** Or the heap per token is the public method's. */
  @Test
  void thisVersionHasTheNativeMethod() {
    assertThat(runtime.nativeRuns()).isPresent();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void eachRunReadsAndWritesAnew(boolean natively) {
    StandingRun run = standing(natively);
    for (float value : new float[] {3, -7}) {
      x.put(0, value);
      run.run(scope);
      assertThat(y.get(0)).isEqualTo(-value);
    }
    FloatBuffer other = floats(1).put(0, 5);
    run.give("x", scope.floats(other, 1));
    run.run(scope);
    assertThat(y.get(0)).isEqualTo(-5);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aTensorThatDoesNotFitIsRefusedAsByAnyRun(boolean natively) {
    StandingRun run = standing(natively);
    OnnxTensor wide = scope.floats(floats(2), 2);
    run.give("x", wide);
    assertThatThrownBy(() -> run.run(scope))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("the probe failed")
        .hasMessageContaining("x");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aRequestThatWasEndedRunsNothing(boolean natively) {
    StandingRun run = standing(natively);
    try (RunControl control = new RunControl();
        TensorScope ended = scope.newScope(control)) {
      run.run(ended);
      control.end(FinishReason.CANCELLED);
      assertThatThrownBy(() -> run.run(ended)).isInstanceOf(RunControl.Ended.class);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aClosedSessionIsNotRun(boolean natively) {
    StandingRun run = standing(natively);
    session.close();
    assertThatThrownBy(() -> run.run(scope))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("the probe is closed");
  }
}

package dev.squint.engine.internal.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnxruntime.OrtException;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.StandaloneModel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Squares of numbers of which the square of one is a denormal number. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class DenormalsTest {

  private static final float SMALL = 1e-20f;

  private final OrtRuntime runtime = OrtRuntime.get(0);
  private final TensorScope scope = new TensorScope(runtime, new AtomicInteger());
  private final FloatBuffer given = floats().put(0, SMALL).put(1, 3);
  private ModelSession squares;

  @BeforeEach
  void open() throws OrtException {
    squares =
        new ModelSession(runtime.environment().createSession(model()), "the squares", () -> {});
  }

  @AfterEach
  void close() {
    scope.close();
    squares.close();
  }

  private static FloatBuffer floats() {
    return ByteBuffer.allocateDirect(2 * Float.BYTES)
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  private static byte[] model() {
    return StandaloneModel.bytes(
        GraphProto.newBuilder()
            .setName("squares")
            .addInput(GraphNodes.value("x", GraphNodes.FLOAT, 2))
            .addNode(GraphNodes.node("Mul", List.of("x", "x"), "y"))
            .addOutput(GraphNodes.value("y", GraphNodes.FLOAT, 2)));
  }

  private static float squared(float x) {
    return x * x;
  }

  @Test
  void aRunTakesThemForZeroAndJavaAfterItDoesNot() {
    FloatBuffer made =
        squares
            .run(scope, Map.of("x", scope.floats(given, 2)), Set.of("y"))
            .get("y")
            .getFloatBuffer();
    assertThat(squared(given.get(0))).isEqualTo(1e-40f).isGreaterThan(0);
    assertThat(made.get(0)).isZero();
    assertThat(made.get(1)).isEqualTo(9);
  }

  @Test
  void soDoesAStandingRun() {
    FloatBuffer made = floats().put(0, -1);
    squares
        .standing(scope, Map.of("x", scope.floats(given, 2)), Map.of("y", scope.floats(made, 2)))
        .run(scope);
    assertThat(squared(given.get(0))).isGreaterThan(0);
    assertThat(made.get(0)).isZero();
    assertThat(made.get(1)).isEqualTo(9);
  }

  @Test
  void aRunThatFailsLeavesJavaAsItWas() {
    assertThatThrownBy(
            () -> squares.run(scope, Map.of("x", scope.longs(new long[] {1, 2}, 2)), Set.of("y")))
        .isInstanceOf(ModelException.class);
    assertThat(squared(given.get(0))).isGreaterThan(0);
  }
}

package dev.squint.engine.internal.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.squint.engine.TinyLlava;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SessionFactory;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.engine.request.PixelValues;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observe;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Towers with other taps use the same matrices. */
@EnabledOnOs(OS.LINUX)
class SharedTowersTest {

  private final OrtRuntime runtime = OrtRuntime.get(1);
  private final SessionFactory sessions =
      new SessionFactory(
          runtime, Device.resolve(new ExecutionProvider.Cpu(), runtime), 1, new AtomicInteger());

  @Test
  void otherTapsTakeNoOtherMatrices() {
    PixelValues pixels = TinyLlava.prompt().images().get(0);
    int mapped;
    try (VisionEncoder encoder =
            new VisionEncoder(
                sessions, TinyLlava.folder().resolve("onnx").resolve("vision_encoder.onnx"));
        TensorScope scope = sessions.scope()) {
      float[] plain = features(encoder, scope, pixels, List.of());
      mapped = sessions.matrices().mappedMatrices();
      assertThat(mapped).isPositive();
      for (Expression tap : List.of(Observe.clsAttention(0), Observe.attentionReceived(1))) {
        assertThat(features(encoder, scope, pixels, List.of(tap)))
            .containsExactly(plain, offset(1e-6f));
      }
      assertThat(sessions.matrices().mappedMatrices()).isEqualTo(mapped);
    }
    assertThat(sessions.matrices().mappedMatrices()).isZero();
  }

  private static float[] features(
      VisionEncoder encoder, TensorScope scope, PixelValues pixels, List<Expression> taps) {
    return TensorScope.valuesOf(
        encoder.encode(scope, scope.newScope(), pixels, taps, true).output());
  }
}

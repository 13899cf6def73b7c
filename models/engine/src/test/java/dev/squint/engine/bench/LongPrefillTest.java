package dev.squint.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.Cancellation;
import dev.squint.engine.request.FinishReason;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.GenerationRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A prefill of seconds, all of it one call of ONNX Runtime, ends in the middle. */
class LongPrefillTest {

  private static final DecoderSizes SLOW =
      new DecoderSizes("slow", 8, 512, 8, 8, 64, 1536, 64, false);
  private static final int GRID = 24;
  private static final int TEXT = 200;

  @TempDir Path temp;

  @Test
  void whatEndsARequestStopsItsPrefill() throws Exception {
    SyntheticModel model = slowModel();
    try (VisionLanguageModel open =
        VisionLanguageModel.open(model.folder(), ModelOptions.defaults())) {
      GenerationRequest.Builder request =
          GenerationRequest.builder(model.prompt(TEXT))
              .options(GenerationOptions.builder().maxNewTokens(1).build());
      Generation whole = open.generate(request.build());
      Duration prefill = Duration.ofNanos(whole.trace().timings().prefillNanos());

      Generation late =
          timed(prefill, () -> open.generate(request.deadline(prefill.dividedBy(8)).build()));
      assertThat(late.finish()).isEqualTo(FinishReason.DEADLINE);
      request.deadline(Duration.ofHours(1));

      Cancellation cancellation = new Cancellation();
      CompletableFuture<Void> canceller =
          CompletableFuture.runAsync(
              cancellation::cancel,
              CompletableFuture.delayedExecutor(prefill.toMillis() / 8, TimeUnit.MILLISECONDS));
      Generation cancelled =
          timed(prefill, () -> open.generate(request.cancellation(cancellation).build()));
      assertThat(cancelled.finish()).isEqualTo(FinishReason.CANCELLED);
      assertThat(cancelled.trace().tokensPerLayer()).containsOnly(0);
      canceller.join();
      request.cancellation(new Cancellation());

      Thread asking = Thread.currentThread();
      CompletableFuture<Void> interrupter =
          CompletableFuture.runAsync(
              asking::interrupt,
              CompletableFuture.delayedExecutor(prefill.toMillis() / 8, TimeUnit.MILLISECONDS));
      Generation interrupted = timed(prefill, () -> open.generate(request.build()));
      assertThat(Thread.interrupted()).isTrue();
      assertThat(interrupted.finish()).isEqualTo(FinishReason.CANCELLED);
      interrupter.join();

      assertThat(open.openTensors()).isZero();
      assertThat(open.generate(request.build()).tokens()).isEqualTo(whole.tokens());
    }
  }

  private SyntheticModel slowModel() throws IOException {
    return SyntheticModel.write(temp, SLOW, SyntheticDecoder.Encoding.DECOMPOSED, GRID);
  }

  /** Ended after an eighth, a prefill has to be over long before its whole time. */
  private static Generation timed(Duration whole, Supplier<Generation> request) {
    long start = System.nanoTime();
    Generation made = request.get();
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isLessThan(whole.multipliedBy(3).dividedBy(4));
    return made;
  }
}

package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.squint.engine.options.ExecutionProvider;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.SquintException;
import dev.squint.error.SquintException.Kind;
import dev.squint.error.StrategyException;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.site.PositionPolicy;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Whose fault a failure is said to be. */
class FailureKindsTest {

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  private static Kind kind(ThrowingCallable action) {
    SquintException failure = catchThrowableOfType(SquintException.class, action);
    assertThat(failure).isNotNull();
    return failure.kind();
  }

  private static void generate(Strategy strategy) {
    TINY.model().generate(TinyLlava.prompt(), strategy, TinyLlava.sixTokens());
  }

  @Test
  void whatIsAskedForIsABadRequest(@TempDir Path folder) {
    assertThat(kind(() -> ExecutionProvider.parse("gpu"))).isEqualTo(Kind.BAD_REQUEST);
    assertThat(kind(() -> ModelOptions.builder().threads(-1).cacheFolder(folder).build()))
        .isEqualTo(Kind.BAD_REQUEST);
    assertThat(kind(() -> GenerationOptions.builder().maxNewTokens(0).build()))
        .isEqualTo(Kind.BAD_REQUEST);
    assertThat(kind(() -> new PixelValues(FloatBuffer.allocate(1), new long[] {1})))
        .isEqualTo(Kind.BAD_REQUEST);
    Path nowhere = folder.resolve("nowhere");
    assertThat(kind(() -> VisionLanguageModel.open(nowhere, TinyLlava.options())))
        .isEqualTo(Kind.BAD_REQUEST);
  }

  @Test
  void aFolderWithABrokenConfigIsABadModel(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("config.json"), "{");
    assertThat(kind(() -> VisionLanguageModel.open(folder, TinyLlava.options())))
        .isEqualTo(Kind.BAD_MODEL);
  }

  @Test
  void whatCannotActIsARefusedStrategy() {
    assertThat(kind(() -> generate(Strategies.parse("fastv:k=99"))))
        .isEqualTo(Kind.REFUSED_STRATEGY);
    assertThat(kind(() -> generate(TestStrategy.byCls(99, 3)))).isEqualTo(Kind.REFUSED_STRATEGY);
    Strategy beyond = TestStrategy.fixed(1, PositionPolicy.ORIGINAL, 1 << 20);
    assertThat(kind(() -> generate(beyond))).isEqualTo(Kind.REFUSED_STRATEGY);
    assertThat(new StrategyException("no").kind()).isEqualTo(Kind.REFUSED_STRATEGY);
  }
}

package dev.squint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.error.ModelException;
import dev.squint.error.StrategyException;
import dev.squint.family.ModelFamily;
import dev.squint.family.PromptException;
import dev.squint.image.ImageException;
import dev.squint.image.ImageInput;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Trace;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Says nothing about what the model answers. */
class SquintTest {

  private static final String QUESTION = "how many circles are there?";

  @TempDir static Path folder;

  private static Squint squint;
  private static Path image;

  @BeforeAll
  static void load() throws IOException {
    squint = Squint.load(options());
    BufferedImage circles = new BufferedImage(130, 96, BufferedImage.TYPE_INT_RGB);
    Graphics2D pen = circles.createGraphics();
    pen.setColor(Color.WHITE);
    pen.fillRect(0, 0, 130, 96);
    pen.setColor(Color.RED);
    pen.fillOval(20, 20, 24, 24);
    pen.fillOval(80, 40, 24, 24);
    pen.dispose();
    image = folder.resolve("image.png");
    ImageIO.write(circles, "png", image.toFile());
  }

  private static ModelOptions options() {
    return ModelOptions.builder().cacheFolder(folder.resolve("cache")).build();
  }

  @AfterAll
  static void close() {
    squint.close();
    squint.close();
  }

  @Test
  void asksWithoutPruning() {
    Answer answer = squint.ask(image, QUESTION);
    Trace trace = answer.trace();
    assertThat(answer.text()).isNotEmpty().isEqualTo(squint.ask(image, QUESTION, "none").text());
    assertThat(trace.strategy()).isEqualTo("none");
    assertThat(trace.sites()).isEmpty();
    assertThat(trace.visualTokens()).isEqualTo(squint.facts().visualTokens());
    assertThat(trace.averageVisualTokens()).isEqualTo(trace.visualTokens());
    assertThat(trace.tokensPerLayer())
        .hasSize(squint.facts().decoder().layers())
        .containsOnly(trace.promptTokens());
    assertThat(trace.prefillFlops()).isEqualTo(trace.unprunedPrefillFlops());
    assertThat(trace.decodeFlops()).isEqualTo(trace.unprunedDecodeFlops());
    assertThat(trace.kvBytes()).isEqualTo(trace.unprunedKvBytes());
    assertThat(squint.ask(image, QUESTION, "fastv:k=2,keep=0.25").trace().kvBytes())
        .as("which is not so of one that prunes")
        .isLessThan(trace.kvBytes());
    assertThat(squint.provider()).isEqualTo("cpu");
  }

  @Test
  void prunesAsTheSpecSaysAndDrawsIt() {
    Answer answer = squint.ask(image, QUESTION, "fastv:k=2,keep=0.25");
    int all = squint.facts().visualTokens();
    assertThat(answer.trace().sites()).extracting(SiteTrace::after).containsExactly(all / 4);
    assertThat(answer.trace().prefillFlops()).isLessThan(answer.trace().unprunedPrefillFlops());
    Path target = folder.resolve("overlay.png");
    squint.overlay(ImageInput.of(image), answer, target);
    assertThat(target).isNotEmptyFile();
  }

  @Test
  void answersAreTheSameFromManyThreads() {
    Answer alone = squint.caption(image, "fastervlm:keep=0.25");
    assertThat(
            IntStream.range(0, 8)
                .parallel()
                .mapToObj(i -> squint.caption(image, "fastervlm:keep=0.25").text()))
        .containsOnly(alone.text());
  }

  @Test
  void aImageSeenOnceAnswersAsOneSeenEachTime() {
    try (PreparedImage seen = squint.prepare(ImageInput.of(image))) {
      for (String spec : List.of("none", "fastervlm:keep=0.25", "fastv:k=2,keep=0.25")) {
        Answer answer =
            squint.ask(seen, QUESTION, Strategies.parse(spec), GenerationOptions.defaults());
        assertThat(answer.text()).isEqualTo(squint.ask(image, QUESTION, spec).text());
        assertThat(answer.trace().strategy()).isEqualTo(Strategies.parse(spec).spec());
      }
    }
  }

  @Test
  void aResizedImageIsFewerTokensEverywhere() {
    assertThat(squint.canResize()).isTrue();
    Answer whole = squint.ask(image, QUESTION);
    try (PreparedImage small = squint.prepare(ImageInput.of(image), 6, 7)) {
      Strategy none = Strategies.parse("none");
      Answer answer = squint.ask(small, QUESTION, none, GenerationOptions.defaults());
      assertThat(answer.trace().visualTokens()).isEqualTo(42);
      assertThat(answer.trace().promptTokens())
          .isEqualTo(whole.trace().promptTokens() - squint.facts().visualTokens() + 42);
      assertThat(answer.trace().visionFlops()).isLessThan(whole.trace().visionFlops() / 3);
      for (String spec : List.of("fastv:k=2,keep=0.5", "fastervlm:keep=0.5", "divprune:keep=0.5")) {
        Answer pruned =
            squint.ask(small, QUESTION, Strategies.parse(spec), GenerationOptions.defaults());
        assertThat(pruned.trace().sites().get(0).after()).as(spec).isEqualTo(21);
      }
    }
    try (PreparedImage own = squint.prepare(ImageInput.of(image), 24, 24)) {
      Answer answer =
          squint.ask(own, QUESTION, Strategies.parse("fastv"), GenerationOptions.defaults());
      assertThat(answer.text()).isEqualTo(squint.ask(image, QUESTION, "fastv").text());
    }
    assertThatThrownBy(() -> squint.prepare(ImageInput.of(image), 0, 3))
        .isInstanceOf(ModelException.class);
  }

  @Test
  void theLimitOfTokensHolds() {
    Answer answer =
        squint.caption(
            ImageInput.of(image),
            Strategies.parse("none"),
            GenerationOptions.builder().maxNewTokens(1).build());
    assertThat(answer.trace().timings().generatedTokens()).isLessThanOrEqualTo(1);
  }

  @Test
  void mistakesAreNamedByTheirOwnExceptions() {
    assertThatThrownBy(() -> squint.ask(folder, QUESTION)).isInstanceOf(ImageException.class);
    assertThatThrownBy(() -> squint.ask(image, " ")).isInstanceOf(PromptException.class);
    assertThatThrownBy(() -> squint.ask(image, QUESTION, "fastv:k=99,keep=0.5"))
        .isInstanceOf(StrategyException.class);
    assertThatThrownBy(() -> GenerationOptions.builder().maxNewTokens(0).build())
        .isInstanceOf(ModelException.class)
        .hasMessage("max new tokens is 0; allow at least one token for the answer");
  }

  @Test
  void aFolderThatIsNoModelIsRefused() throws IOException {
    Path empty = Files.createDirectories(folder.resolve("empty"));
    assertThatThrownBy(() -> Squint.load(empty, options())).isInstanceOf(ModelException.class);
  }

  @Test
  void aFamilyWhosePromptsWeDoNotKnowIsRefused() throws IOException {
    Path config = folder.resolve("config.json");
    Files.writeString(config, "{\"model_type\": \"llava\"}");
    ModelFamily.checkFolder(folder);
    Files.writeString(config, "{\"model_type\": \"florence2\"}");
    assertThatThrownBy(() -> ModelFamily.checkFolder(folder))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(
            "config.json: model_type 'florence2' is of a family that Squint does not know; use a"
                + " model of type '")
        .hasMessageContaining("'llava'");
    Files.delete(config);
  }

  @Test
  void aClosedOneSaysSo() {
    Squint closed = Squint.load(options());
    closed.close();
    assertThatThrownBy(() -> closed.ask(image, QUESTION))
        .isInstanceOf(ModelException.class)
        .hasMessage("the model is closed; load it again");
  }

  @Test
  void namesTheVersionOfItsRuntime() {
    assertThat(squint.runtimeVersion()).matches("\\d+\\.\\d+\\.\\d+.*");
  }
}

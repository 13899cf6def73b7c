package dev.squint.engine.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.squint.engine.TinyLlava;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.error.ModelException;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.trace.SiteTrace;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("runtime")
class PreparedImagesTest {

  private static final VisionLanguageModel MODEL = TinyLlava.open();

  @AfterAll
  static void close() {
    MODEL.close();
  }

  private static Generation generate(PreparedImages images, ModelInput prompt, String spec) {
    return MODEL.generate(prompt, images, Strategies.parse(spec), TinyLlava.sixTokens());
  }

  @Test
  void imagesEncodedBeforeGiveTheSameLogits() {
    ModelInput prompt = TinyLlava.prompt();
    try (PreparedImages images = MODEL.prepare(prompt.images().get(0))) {
      for (String spec : List.of("none", "fastervlm:keep=0.5", "none", "fastv:k=2,keep=0.25")) {
        Strategy strategy = Strategies.parse(spec);
        assertThat(generate(images, prompt, spec).firstLogits())
            .isEqualTo(MODEL.generate(prompt, strategy, TinyLlava.sixTokens()).firstLogits());
      }
    }
    assertThat(MODEL.openTensors()).isZero();
  }

  @Test
  void featuresAreKeptOncePerSetOfObservations() {
    ModelInput prompt = TinyLlava.prompt();
    try (PreparedImages images = MODEL.prepare(prompt.images().get(0))) {
      assertThat(MODEL.openTensors()).isZero();
      generate(images, prompt, "none");
      generate(images, prompt, "fastv:k=2,keep=0.5");
      assertThat(MODEL.openTensors()).isEqualTo(1);
      generate(images, prompt, "fastervlm:keep=0.5");
      generate(images, prompt, "fastervlm:keep=0.25");
      assertThat(MODEL.openTensors()).isEqualTo(2);
    }
    assertThat(MODEL.openTensors()).isZero();
  }

  @Test
  void manyThreadsMayAskAtOnce() {
    ModelInput prompt = TinyLlava.prompt();
    try (PreparedImages images = MODEL.prepare(prompt.images().get(0))) {
      assertThat(
              IntStream.range(0, 16)
                  .parallel()
                  .mapToObj(i -> generate(images, prompt, "fastv:k=2,keep=0.5").firstLogits()))
          .allSatisfy(
              logits ->
                  assertThat(logits)
                      .isEqualTo(generate(images, prompt, "fastv:k=2,keep=0.5").firstLogits()));
    }
  }

  @Test
  void closedOrForeignImagesAreRefused() {
    ModelInput prompt = TinyLlava.prompt();
    PreparedImages images = MODEL.prepare(prompt.images().get(0));
    assertThatThrownBy(() -> generate(images, TinyLlava.prompt(), "none"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("not those of the prompt");
    images.close();
    images.close();
    assertThatThrownBy(() -> generate(images, prompt, "none"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("the image is closed");
  }

  @Test
  void imagesOfNoModelAreRefused() {
    PreparedImages made = () -> {};
    assertThatThrownBy(() -> generate(made, TinyLlava.prompt(), "none"))
        .isInstanceOf(ModelException.class)
        .hasMessage("the images were not prepared by a model; prepare them with this one");
  }

  @Test
  void imagesPreparedApartAnswerAsThoseEncodedTogether() {
    ModelInput together = TinyLlava.twoImages();
    List<PixelValues> apart = halves(together.images().get(0));
    ModelInput prompt = new ModelInput(together.tokenIds(), together.layout(), apart);
    try (PreparedImages first = MODEL.prepare(apart.get(0));
        PreparedImages second = MODEL.prepare(apart.get(1))) {
      for (String spec : List.of("none", "fastervlm:keep=0.5", "fastv:k=2,keep=0.5", "divprune")) {
        Strategy strategy = Strategies.parse(spec);
        Generation expected = MODEL.generate(together, strategy, TinyLlava.sixTokens());
        Generation answer =
            MODEL.generate(
                GenerationRequest.builder(prompt)
                    .images(List.of(first, second))
                    .strategy(strategy)
                    .options(TinyLlava.sixTokens())
                    .build());
        assertThat(answer.firstLogits()).containsExactly(expected.firstLogits(), offset(1e-5f));
        assertThat(answer.trace().sites())
            .extracting(SiteTrace::keptOriginal)
            .containsExactlyElementsOf(
                expected.trace().sites().stream().map(SiteTrace::keptOriginal).toList());
        assertThat(answer.trace().visionFlops()).isEqualTo(expected.trace().visionFlops());
        assertThat(MODEL.generate(prompt, strategy, TinyLlava.sixTokens()).firstLogits())
            .isEqualTo(answer.firstLogits());
      }
    }
  }

  private static List<PixelValues> halves(PixelValues both) {
    long[] shape = both.shape();
    int half = both.data().capacity() / 2;
    return List.of(
        new PixelValues(both.data().slice(0, half), new long[] {1, shape[1], shape[2], shape[3]}),
        new PixelValues(
            both.data().slice(half, half), new long[] {1, shape[1], shape[2], shape[3]}));
  }
}

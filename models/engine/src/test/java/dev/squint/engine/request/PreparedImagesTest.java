package dev.squint.engine.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.engine.TinyLlava;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.error.ModelException;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

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
}

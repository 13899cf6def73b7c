package dev.squint.engine.vision;

import dev.squint.engine.TinyLlava;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.PromptInput;
import dev.squint.error.ModelException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class EncodedPicturesTest {

  private static final VisionLanguageModel MODEL = TinyLlava.open();

  @AfterAll
  static void close() {
    MODEL.close();
  }

  private static Generation generate(EncodedPictures pictures, PromptInput prompt, String spec) {
    return MODEL.generate(prompt, pictures, Strategies.parse(spec), TinyLlava.sixTokens());
  }

  @Test
  void picturesEncodedBeforeGiveTheSameLogits() {
    PromptInput prompt = TinyLlava.prompt();
    try (EncodedPictures pictures = MODEL.pictures(prompt.pixels().orElseThrow())) {
      for (String spec : List.of("none", "fastervlm:keep=0.5", "none", "fastv:k=2,keep=0.25")) {
        Strategy strategy = Strategies.parse(spec);
        assertThat(generate(pictures, prompt, spec).firstLogits())
            .isEqualTo(MODEL.generate(prompt, strategy, TinyLlava.sixTokens()).firstLogits());
      }
    }
    assertThat(MODEL.openTensors()).isZero();
  }

  @Test
  void featuresAreKeptOncePerSetOfObservations() {
    PromptInput prompt = TinyLlava.prompt();
    try (EncodedPictures pictures = MODEL.pictures(prompt.pixels().orElseThrow())) {
      assertThat(MODEL.openTensors()).isZero();
      generate(pictures, prompt, "none");
      generate(pictures, prompt, "fastv:k=2,keep=0.5");
      assertThat(MODEL.openTensors()).isEqualTo(1);
      generate(pictures, prompt, "fastervlm:keep=0.5");
      generate(pictures, prompt, "fastervlm:keep=0.25");
      assertThat(MODEL.openTensors()).isEqualTo(2);
    }
    assertThat(MODEL.openTensors()).isZero();
  }

  @Test
  void manyThreadsMayAskAtOnce() {
    PromptInput prompt = TinyLlava.prompt();
    try (EncodedPictures pictures = MODEL.pictures(prompt.pixels().orElseThrow())) {
      assertThat(
              IntStream.range(0, 16)
                  .parallel()
                  .mapToObj(i -> generate(pictures, prompt, "fastv:k=2,keep=0.5").firstLogits()))
          .allSatisfy(
              logits ->
                  assertThat(logits)
                      .isEqualTo(generate(pictures, prompt, "fastv:k=2,keep=0.5").firstLogits()));
    }
  }

  @Test
  void closedOrForeignPicturesAreRefused() {
    PromptInput prompt = TinyLlava.prompt();
    EncodedPictures pictures = MODEL.pictures(prompt.pixels().orElseThrow());
    assertThatThrownBy(() -> generate(pictures, TinyLlava.prompt(), "none"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("not those of the prompt");
    pictures.close();
    pictures.close();
    assertThatThrownBy(() -> generate(pictures, prompt, "none"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("the picture is closed");
  }
}

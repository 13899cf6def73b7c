package dev.squint.cli.torture;

import dev.squint.Answer;
import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.image.ImageInput;
import dev.squint.pruning.Strategies;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;
import java.util.random.RandomGenerator;

/** Loads a model folder and asks it, as a user of the library would. */
final class Answering {

  private static final List<String> SPECS =
      List.of(
          "none",
          "fastv:k=2,keep=0.5",
          "fastervlm:keep=0.5",
          "visionzip:tokens=8",
          "sparsevlm:layers=1/2/3",
          "divprune:keep=0.5",
          "kv-quant:bits=4",
          "dart:keep=0.5",
          "fastervlm:keep=0.5 + fastv:k=1,keep=0.5",
          "tome:keep=0.5",
          "prumerge");

  /** Tokens of an answer. */
  static final int FEW_TOKENS = 3;

  private Answering() {}

  static ModelOptions options() {
    return ModelOptions.builder().threads(1).build();
  }

  /** A small image that all models of the torture take. */
  static ImageInput image() {
    BufferedImage image = new BufferedImage(48, 40, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        image.setRGB(x, y, x * 5 << 16 | y * 6 << 8 | (x * y & 0xFF));
      }
    }
    return ImageInput.of(image);
  }

  static String spec(RandomGenerator random) {
    return SPECS.get(random.nextInt(SPECS.size()));
  }

  /** Loads, asks each question, closes. */
  static Verdict ask(Path model, String spec, List<String> questions) {
    Verdict verdict = Verdict.answered();
    try (Squint squint = Squint.load(model, options())) {
      for (String question : questions) {
        verdict = verdict.and(Verdict.of(() -> ask(squint, image(), question, spec)));
      }
      return verdict;
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError | LinkageError e) {
      return verdict.and(
          Verdict.of(
              () -> {
                throw e;
              }));
    }
  }

  static Answer ask(Squint squint, ImageInput image, String question, String spec) {
    return squint.ask(
        image,
        question,
        Strategies.parse(spec),
        GenerationOptions.builder().maxNewTokens(FEW_TOKENS).build());
  }
}

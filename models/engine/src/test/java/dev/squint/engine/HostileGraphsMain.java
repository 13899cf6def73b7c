package dev.squint.engine;

import dev.squint.engine.request.GenerationOptions;
import dev.squint.error.ModelException;
import java.nio.file.Path;
import java.util.Optional;

/** Loads and asks models from folders, and says of each in one line why that cannot be done. */
final class HostileGraphsMain {

  private HostileGraphsMain() {}

  public static void main(String[] folders) {
    for (String folder : folders) {
      Optional<String> refusal = refusal(Path.of(folder));
      System.err.println(Path.of(folder).getFileName() + ": " + refusal.orElse("answers"));
    }
  }

  private static Optional<String> refusal(Path folder) {
    try (VisionLanguageModel model = VisionLanguageModel.open(folder, TinyLlava.options())) {
      model.generate(
          TinyLlava.prompt(),
          TestStrategy.none(),
          GenerationOptions.builder().maxNewTokens(2).build());
      return Optional.empty();
    } catch (ModelException e) {
      return Optional.of(e.getMessage());
    }
  }
}

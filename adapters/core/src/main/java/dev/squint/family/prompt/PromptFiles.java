package dev.squint.family.prompt;

import dev.squint.engine.VisionLanguageModel;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where the prompts of a model come from.
 *
 * @param folder the model's, with its tokenizer and chat template
 * @param template a file with a chat template in the place of the model's own
 * @param usual the template of models of this type that come without one
 * @param placeholder what the template puts where an image is; the image token if empty
 */
public record PromptFiles(
    Path folder, Optional<Path> template, Optional<String> usual, Optional<String> placeholder) {

  /** Those of a folder. */
  public static PromptFiles of(Path folder) {
    return new PromptFiles(folder, Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** Those of a loaded model. */
  public static PromptFiles of(VisionLanguageModel model) {
    return new PromptFiles(
        model.folder(), model.options().chatTemplate(), Optional.empty(), Optional.empty());
  }

  /** The same for a type whose models may come without a chat template. */
  public PromptFiles orTemplate(Optional<String> source) {
    return new PromptFiles(folder, template, source, placeholder);
  }

  /** The same for templates that put another text where an image is. */
  public PromptFiles withPlaceholder(String text) {
    return new PromptFiles(folder, template, usual, Optional.of(text));
  }
}

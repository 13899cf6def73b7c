package dev.squint.family;

import dev.squint.chat.Turn;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.image.RgbImage;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import dev.squint.tokenizer.IncrementalText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What differs between model families: how an image and a question are put to the model. */
public interface ModelFamily extends AutoCloseable {

  /**
   * The family of a loaded model, by {@code model_type} in its {@code config.json}.
   *
   * @throws ModelException if it is none of ours, or a file it needs is missing
   */
  static ModelFamily of(VisionLanguageModel model) {
    checkType(model.config().modelType());
    return LlavaFamily.open(model);
  }

  /** Refuses a folder whose {@code config.json} names a type that we do not know. */
  static void checkFolder(Path folder) {
    Path config = folder.resolve("config.json");
    if (Files.isRegularFile(config)) {
      checkType(ModelJson.read(config).text("model_type").orElse("unknown"));
    }
  }

  /** Refuses a type whose prompts we do not know. */
  static void checkType(String type) {
    if (!type.equals("llava")) {
      throw new ModelException(
          "config.json: model_type '"
              + Printable.of(type)
              + "' is of a family that Squint does not know; use a model of type 'llava'");
    }
  }

  /** The image as the model sees it, resized and cropped. */
  RgbImage seen(RgbImage image);

  /** The image as the vision encoder takes it. */
  PixelValues pixels(RgbImage image);

  /** The image resized so that it becomes a grid of so many visual tokens. */
  PixelValues pixels(RgbImage image, int rows, int columns);

  /** How a question is put, {@code {question}} standing for it. */
  String template();

  /**
   * The prompt for a chat.
   *
   * @param turns its messages, the user's last
   * @param pixels what its images became, in the order in which the messages have them
   * @throws PromptException if a text is blank or all are longer than the context
   * @throws ModelException if the model's chat template cannot put messages of these roles
   */
  ModelInput prompt(List<Turn> turns, List<PixelValues> pixels);

  /** Turns the tokens of an answer into words as they come. */
  IncrementalText answer();

  /** An answer in words, without special tokens. */
  String text(long[] tokens);

  @Override
  void close();
}

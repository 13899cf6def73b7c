package dev.squint.family;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.error.ModelException;
import dev.squint.image.RgbImage;
import dev.squint.onnx.internal.config.ConfigReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What differs between model families: how images and messages are put to a model. */
public interface ModelFamily extends AutoCloseable {

  /**
   * The family of a loaded model, by {@code model_type} in its {@code config.json}.
   *
   * @throws ModelException if none knows it, or a file it needs is missing
   */
  static ModelFamily of(VisionLanguageModel model) {
    return FamilyRegistry.find(model.config().modelType()).open(model);
  }

  /**
   * Refuses a folder whose {@code config.json} or {@code genai_config.json} names a type that no
   * family knows.
   */
  static void checkFolder(Path folder) {
    boolean described =
        Files.isRegularFile(folder.resolve("config.json"))
            || Files.isRegularFile(folder.resolve("genai_config.json"));
    if (described) {
      FamilyRegistry.find(ConfigReader.root(folder).text("model_type").orElse("unknown"));
    }
  }

  /** The image as the model sees it, resized and cropped. */
  RgbImage seen(RgbImage image);

  /**
   * Where the visual tokens of an image lie on what is {@linkplain #seen seen} of it, once for each
   * time that all of it is shown; none where its patches are its visual tokens, or where they
   * cannot be told.
   */
  default List<TokenMap> maps(RgbImage image) {
    return List.of();
  }

  /**
   * An image for a prompt.
   *
   * @throws ModelException if the options ask for what this family does not have
   */
  PromptImage prepare(RgbImage image, ImageOptions options);

  /** Whether an image can be {@link #resized}. */
  default boolean canResize() {
    return false;
  }

  /**
   * An image resized so that it becomes a grid of so many visual tokens.
   *
   * @throws ModelException if this model takes images of its own sizes only
   */
  PromptImage resized(RgbImage image, int rows, int columns);

  /** What the files lack that the whole model has, a sentence each, for people. */
  default List<String> notes() {
    return List.of();
  }

  /** How messages are put to it, and its answers are read. */
  Prompts prompts();

  @Override
  default void close() {
    prompts().close();
  }
}

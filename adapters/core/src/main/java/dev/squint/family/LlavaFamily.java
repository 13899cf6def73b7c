package dev.squint.family;

import dev.squint.image.Picture;
import dev.squint.processor.Preprocessor;

import dev.squint.error.ModelException;
import dev.squint.engine.request.PixelValues;
import dev.squint.engine.request.PromptInput;
import dev.squint.engine.VisionLanguageModel;

/**
 * LLaVA: pictures through the hub's {@code CLIPImageProcessor}, questions through the model's chat
 * template.
 *
 * @param preprocessor makes pixel values
 * @param prompts makes token ids
 */
record LlavaFamily(Preprocessor preprocessor, LlavaPrompts prompts) implements ModelFamily {

  static LlavaFamily open(VisionLanguageModel model) {
    Preprocessor preprocessor = Preprocessor.read(model.folder());
    preprocessor.checkFits(model.config().vision().imageSize());
    return new LlavaFamily(
        preprocessor, LlavaPrompts.open(model.folder(), model.config(), model.facts().vision()));
  }

  @Override
  public Picture seen(Picture picture) {
    return preprocessor.seen(picture);
  }

  @Override
  public PixelValues pixels(Picture picture) {
    return preprocessor.apply(picture);
  }

  @Override
  public PixelValues pixels(Picture picture, int rows, int columns) {
    long wide = (long) columns * prompts.patch();
    long high = (long) rows * prompts.patch();
    if (wide > Preprocessor.MOST_SIDE || high > Preprocessor.MOST_SIDE) {
      throw new ModelException(
          "a grid of %d x %d visual tokens is a picture of %dx%d pixels, more than %d a side; choose a smaller grid"
              .formatted(rows, columns, wide, high, Preprocessor.MOST_SIDE));
    }
    return preprocessor.apply(picture, (int) wide, (int) high);
  }

  @Override
  public String template() {
    return prompts.template();
  }

  @Override
  public PromptInput prompt(String question, PixelValues pixels) {
    return prompts.prompt(question, pixels);
  }

  @Override
  public String text(long[] tokens) {
    return prompts.text(tokens);
  }

  @Override
  public void close() {
    prompts.close();
  }
}

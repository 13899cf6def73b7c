package dev.squint.family;

import dev.squint.chat.Turn;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.image.RgbImage;
import dev.squint.processor.Preprocessor;
import dev.squint.tokenizer.IncrementalText;
import java.util.List;

/**
 * LLaVA: images through the hub's {@code CLIPImageProcessor}, questions through the model's chat
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
  public RgbImage seen(RgbImage image) {
    return preprocessor.seen(image);
  }

  @Override
  public PixelValues pixels(RgbImage image) {
    return preprocessor.apply(image);
  }

  @Override
  public PixelValues pixels(RgbImage image, int rows, int columns) {
    long wide = (long) columns * prompts.patch();
    long high = (long) rows * prompts.patch();
    if (wide > Preprocessor.MOST_SIDE || high > Preprocessor.MOST_SIDE) {
      throw new ModelException(
          "a grid of %d x %d visual tokens is an image of %dx%d pixels, more than %d a side; choose a smaller grid"
              .formatted(rows, columns, wide, high, Preprocessor.MOST_SIDE));
    }
    return preprocessor.apply(image, (int) wide, (int) high);
  }

  @Override
  public String template() {
    return prompts.template();
  }

  @Override
  public ModelInput prompt(List<Turn> turns, List<PixelValues> pixels) {
    return prompts.prompt(turns, pixels);
  }

  @Override
  public IncrementalText answer() {
    return prompts.answer();
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

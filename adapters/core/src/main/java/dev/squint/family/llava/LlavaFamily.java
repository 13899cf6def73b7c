package dev.squint.family.llava;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.family.ImageOptions;
import dev.squint.family.ModelFamily;
import dev.squint.family.PromptImage;
import dev.squint.family.prompt.ChatPrompts;
import dev.squint.family.prompt.PromptFiles;
import dev.squint.image.RgbImage;
import dev.squint.onnx.internal.io.Printable;
import dev.squint.processor.Preprocessor;
import java.util.Optional;
import java.util.Set;

/**
 * LLaVA: images through the hub's {@code CLIPImageProcessor} and its like, one grid each.
 *
 * @param preprocessor makes pixel values
 * @param prompts makes token ids
 * @param tokens counts visual tokens
 * @param patch pixels of a side of a patch
 * @param canResize whether the tower takes images of any size
 */
record LlavaFamily(
    Preprocessor preprocessor,
    ChatPrompts prompts,
    ImageTokens tokens,
    int patch,
    boolean canResize)
    implements ModelFamily {

  private static final Set<String> PIXELS = Set.of("pixel_values");
  private static final int IMAGE_RANK = 4;

  static LlavaFamily open(VisionLanguageModel model) {
    if (!model.visionInputs().equals(PIXELS) || model.visionRank() != IMAGE_RANK) {
      throw new ModelException(
          "the vision encoder takes %s, but a LLaVA's takes whole images as 'pixel_values' alone; export the tower with that input"
              .formatted(Printable.of(model.visionInputs().toString())));
    }
    Preprocessor preprocessor = Preprocessor.read(model.folder());
    preprocessor.checkFits(model.config().vision().imageSize());
    return new LlavaFamily(
        preprocessor,
        ChatPrompts.open(PromptFiles.of(model).orTemplate(usual(model)), model.config()),
        ImageTokens.of(model.config(), model.facts().vision()),
        model.config().vision().patchSize(),
        model.takesAnySize());
  }

  private static Optional<String> usual(VisionLanguageModel model) {
    return model.config().modelType().equals(Moondream.TYPE)
        ? Optional.of(Moondream.TEMPLATE)
        : Optional.empty();
  }

  @Override
  public RgbImage seen(RgbImage image) {
    return preprocessor.seen(image);
  }

  @Override
  public PromptImage prepare(RgbImage image, ImageOptions options) {
    if (!options.isOwnSize()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "images of this model have one size, whatever their area; ask without bounds of pixels");
    }
    return put(preprocessor.apply(image));
  }

  @Override
  public PromptImage resized(RgbImage image, int rows, int columns) {
    long wide = (long) columns * patch;
    long high = (long) rows * patch;
    if (wide > Preprocessor.MOST_SIDE || high > Preprocessor.MOST_SIDE) {
      throw new ModelException(
          "a grid of %d x %d visual tokens is an image of %dx%d pixels, more than %d a side; choose a smaller grid"
              .formatted(rows, columns, wide, high, Preprocessor.MOST_SIDE));
    }
    return put(preprocessor.apply(image, (int) wide, (int) high));
  }

  private PromptImage put(PixelValues pixels) {
    long[] shape = pixels.shape();
    int rows = (int) shape[2] / patch;
    int columns = (int) shape[3] / patch;
    return new PromptImage(
        pixels, prompts.placeholder(tokens.count(rows, columns)), tokens.parts(rows, columns));
  }
}

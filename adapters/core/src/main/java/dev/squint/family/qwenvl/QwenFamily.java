package dev.squint.family.qwenvl;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.error.ModelException;
import dev.squint.family.ImageOptions;
import dev.squint.family.ImagePart;
import dev.squint.family.ModelFamily;
import dev.squint.family.PromptImage;
import dev.squint.family.prompt.ChatPrompts;
import dev.squint.family.prompt.PromptFiles;
import dev.squint.image.RgbImage;
import dev.squint.onnx.internal.io.Printable;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * An image becomes as many visual tokens as its size asks for, in one grid.
 *
 * @param images makes pixel values
 * @param prompts makes token ids
 * @param grid name of the encoder's input for the grid of patches
 */
record QwenFamily(QwenImages images, ChatPrompts prompts, String grid) implements ModelFamily {

  private static final String PIXELS = "pixel_values";
  private static final List<String> GRIDS = List.of("image_grid_thw", "grid_thw");
  private static final int PATCHES_RANK = 2;

  static QwenFamily open(VisionLanguageModel model) {
    Set<String> inputs = new TreeSet<>(model.visionInputs());
    String grid = GRIDS.stream().filter(inputs::contains).findFirst().orElse("");
    if (!inputs.equals(new TreeSet<>(List.of(PIXELS, grid)))
        || model.visionRank() != PATCHES_RANK) {
      throw new ModelException(
          "the vision encoder takes %s, but a Qwen-VL's takes patches as 'pixel_values' [patches, values] and their grid as 'grid_thw' or 'image_grid_thw'; export the tower for images of any size"
              .formatted(Printable.of(inputs.toString())));
    }
    QwenImages images = QwenProcessorFile.read(model.folder(), model.config().vision());
    return new QwenFamily(images, ChatPrompts.open(PromptFiles.of(model), model.config()), grid);
  }

  @Override
  public RgbImage seen(RgbImage image) {
    return images.seen(image, ImageOptions.DEFAULTS);
  }

  @Override
  public PromptImage prepare(RgbImage image, ImageOptions options) {
    return put(images.seen(image, options));
  }

  @Override
  public boolean canResize() {
    return true;
  }

  @Override
  public PromptImage resized(RgbImage image, int rows, int columns) {
    return put(images.seen(image, rows, columns));
  }

  private PromptImage put(RgbImage seen) {
    int unit = images.patch() * images.merge();
    int rows = seen.height() / unit;
    int columns = seen.width() / unit;
    return new PromptImage(
        images.values(seen, grid),
        prompts.placeholder(rows * columns),
        List.of(ImagePart.grid(0, rows, columns)));
  }
}

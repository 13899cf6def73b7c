package dev.squint.family.llava;

import dev.squint.family.ImagePart;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.pruning.shape.VisionShape;
import java.util.List;

/**
 * What an image becomes in a prompt. Mostly a visual token for each patch; but where the features
 * keep [CLS] ({@code vision_feature_select_strategy: full}) it comes before these, belonging to no
 * patch, and where the first token of a tower without [CLS] is dropped ({@code default}) the rest
 * form no grid.
 *
 * @param beyondPatches how many visual tokens there are more than patches, may be negative
 * @param clsFirst whether the one more is [CLS]
 */
record ImageTokens(int beyondPatches, boolean clsFirst) {

  /** Those of a model. */
  static ImageTokens of(ModelConfig config, VisionShape vision) {
    int beyond = config.visualTokens() - vision.patches();
    return new ImageTokens(beyond, beyond == 1 && vision.hasCls());
  }

  /**
   * Counts the tokens of an image.
   *
   * @param rows its rows of patches
   * @param columns its patches in a row
   */
  int count(int rows, int columns) {
    return Math.max(1, rows * columns + beyondPatches);
  }

  /**
   * The visual tokens of an image.
   *
   * @param rows its rows of patches
   * @param columns its patches in a row
   */
  List<ImagePart> parts(int rows, int columns) {
    ImagePart grid = ImagePart.grid(0, rows, columns);
    if (beyondPatches == 0) {
      return List.of(grid);
    }
    return clsFirst
        ? List.of(new ImagePart(0, 1, 0, 0), grid)
        : List.of(new ImagePart(0, count(rows, columns), 0, 0));
  }
}

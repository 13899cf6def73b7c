package dev.squint.engine.request;

import dev.squint.onnx.config.ModelConfig;
import dev.squint.pruning.layout.VisualSpan;
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
public record ImageTokens(int beyondPatches, boolean clsFirst) {

  /** Those of a model. */
  public static ImageTokens of(ModelConfig config, VisionShape vision) {
    int beyond = config.visualTokens() - vision.patches();
    return new ImageTokens(beyond, beyond == 1 && vision.hasCls());
  }

  /**
   * Counts the tokens of an image.
   *
   * @param rows its rows of patches
   * @param columns its patches in a row
   */
  public int count(int rows, int columns) {
    return Math.max(1, rows * columns + beyondPatches);
  }

  /**
   * The spans of an image in a prompt.
   *
   * @param image the image, counted from 0
   * @param start position of its first token
   * @param rows its rows of patches
   * @param columns its patches in a row
   */
  public List<VisualSpan> spans(int image, int start, int rows, int columns) {
    if (beyondPatches == 0) {
      return List.of(new VisualSpan(image, start, rows * columns, rows, columns));
    }
    if (clsFirst) {
      return List.of(
          new VisualSpan(image, start, 1, 0, 0),
          new VisualSpan(image, start + 1, rows * columns, rows, columns));
    }
    return List.of(new VisualSpan(image, start, count(rows, columns), 0, 0));
  }
}

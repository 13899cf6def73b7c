package dev.squint.pruning.shape;

/**
 * The shape of a CLIP-style vision tower and the two-layer projector after it.
 *
 * @param layers layers present in the file, that is, those that run
 * @param hidden width
 * @param heads attention heads
 * @param intermediate width of the MLP
 * @param patches patch tokens per image
 * @param patchDim values of one patch: channels * height * width
 * @param hasCls whether a [CLS] token runs along
 * @param gridRows rows of the patch grid
 * @param gridColumns columns of the patch grid
 * @param projectorHidden width between the projector's two matrices
 */
public record VisionShape(
    int layers,
    int hidden,
    int heads,
    int intermediate,
    int patches,
    int patchDim,
    boolean hasCls,
    int gridRows,
    int gridColumns,
    int projectorHidden) {

  public VisionShape {
    if (Math.min(Math.min(layers, hidden), Math.min(heads, intermediate)) < 1
        || Math.min(Math.min(patches, patchDim), projectorHidden) < 1) {
      throw new IllegalArgumentException("every size of a vision shape is at least 1");
    }
    if ((long) gridRows * gridColumns != patches) {
      throw new IllegalArgumentException(
          "a patch grid of "
              + gridRows
              + " x "
              + gridColumns
              + " does not hold "
              + patches
              + " patches");
    }
  }

  /**
   * The shape when the tower runs on an image of another size.
   *
   * @param rows rows of the patch grid
   * @param columns columns of the patch grid
   * @return this shape with that grid
   */
  public VisionShape withGrid(int rows, int columns) {
    return new VisionShape(
        layers,
        hidden,
        heads,
        intermediate,
        rows * columns,
        patchDim,
        hasCls,
        rows,
        columns,
        projectorHidden);
  }
}

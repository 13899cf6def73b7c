package dev.squint.pruning.shape;

/**
 * The shape of a CLIP-style vision tower and the two-layer projector after it; its {@linkplain
 * #builder() builder} names each size.
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
 * @param patchesPerToken patches that the projector joins into one visual token, 1 without joining
 * @param projectorHidden width between the projector's two matrices, 0 if it has only one
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
    int patchesPerToken,
    int projectorHidden) {

  public VisionShape {
    if (Math.min(Math.min(layers, hidden), Math.min(heads, intermediate)) < 1
        || Math.min(Math.min(patches, patchDim), patchesPerToken) < 1
        || projectorHidden < 0) {
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

  /** A tower whose patches become a visual token each. */
  public VisionShape(
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
    this(
        layers,
        hidden,
        heads,
        intermediate,
        patches,
        patchDim,
        hasCls,
        gridRows,
        gridColumns,
        1,
        projectorHidden);
  }

  /**
   * The shape when the tower runs on an image of another size.
   *
   * @param rows rows of the patch grid
   * @param columns columns of the patch grid
   * @return this shape with that grid
   */
  public VisionShape withGrid(int rows, int columns) {
    return toBuilder().grid(rows, columns).build();
  }

  /** Starts a shape without a [CLS] token; whatever else has no default has to be set. */
  public static Builder builder() {
    return new Builder();
  }

  private Builder toBuilder() {
    return new Builder()
        .layers(layers)
        .hidden(hidden)
        .heads(heads)
        .intermediate(intermediate)
        .patchDim(patchDim)
        .cls(hasCls)
        .patchesPerToken(patchesPerToken)
        .projectorHidden(projectorHidden);
  }

  /** Collects the sizes. */
  public static final class Builder {

    private int layers;
    private int hidden;
    private int heads;
    private int intermediate;
    private int patchDim;
    private boolean hasCls;
    private int gridRows;
    private int gridColumns;
    private int patchesPerToken = 1;
    private int projectorHidden;

    private Builder() {}

    /** Sets the number of layers that run. */
    public Builder layers(int count) {
      layers = count;
      return this;
    }

    /** Sets the width. */
    public Builder hidden(int width) {
      hidden = width;
      return this;
    }

    /** Sets the attention heads. */
    public Builder heads(int count) {
      heads = count;
      return this;
    }

    /** Sets the width of the MLP. */
    public Builder intermediate(int width) {
      intermediate = width;
      return this;
    }

    /** Sets the patches of an image, in rows and columns. */
    public Builder grid(int rows, int columns) {
      gridRows = rows;
      gridColumns = columns;
      return this;
    }

    /** Sets the values of one patch: channels * height * width. */
    public Builder patchDim(int values) {
      patchDim = values;
      return this;
    }

    /** Sets whether a [CLS] token runs along. */
    public Builder cls(boolean runsAlong) {
      hasCls = runsAlong;
      return this;
    }

    /** Sets the patches that become one visual token; 1 unless set. */
    public Builder patchesPerToken(int count) {
      patchesPerToken = count;
      return this;
    }

    /** Sets the width between the projector's two matrices; one without a second has 0. */
    public Builder projectorHidden(int width) {
      projectorHidden = width;
      return this;
    }

    /**
     * Makes the shape.
     *
     * @throws IllegalArgumentException if a size is below 1
     */
    public VisionShape build() {
      return new VisionShape(
          layers,
          hidden,
          heads,
          intermediate,
          gridRows * gridColumns,
          patchDim,
          hasCls,
          gridRows,
          gridColumns,
          patchesPerToken,
          projectorHidden);
    }
  }
}

package dev.squint.pruning.shape;

import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.site.Site;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The shape of a vision tower and the two-layer projector after it; its {@linkplain #builder()
 * builder} names each size.
 *
 * @param layers layers present in the file, that is, those that run
 * @param hidden width
 * @param heads attention heads
 * @param intermediate width of the MLP
 * @param patchDim values of one patch: channels * height * width
 * @param hasCls whether a [CLS] token runs along
 * @param gridRows rows of the patch grid
 * @param gridColumns columns of the patch grid
 * @param patchesPerToken patches that the projector joins into one visual token, 1 without joining
 * @param projectorHidden width between the projector's two matrices, 0 if it has only one
 * @param windowedLayers layers that attend within windows of the image, where no token sees all of
 *     it
 * @param joinsInProjector whether visual tokens are there behind the projector only: what enters it
 *     are patches that it joins by itself, so that nothing can be merged before it
 */
public record VisionShape(
    int layers,
    int hidden,
    int heads,
    int intermediate,
    int patchDim,
    boolean hasCls,
    int gridRows,
    int gridColumns,
    int patchesPerToken,
    int projectorHidden,
    Set<Integer> windowedLayers,
    boolean joinsInProjector) {

  public VisionShape {
    windowedLayers = Set.copyOf(windowedLayers);
    if (Math.min(Math.min(layers, hidden), Math.min(heads, intermediate)) < 1
        || Math.min(Math.min(gridRows, gridColumns), Math.min(patchDim, patchesPerToken)) < 1
        || projectorHidden < 0) {
      throw new IllegalArgumentException("every size of a vision shape is at least 1");
    }
  }

  /** Patch tokens of an image. */
  public int patches() {
    return gridRows * gridColumns;
  }

  /** Where visual tokens are merged: before the projector, or behind it where it joins patches. */
  public Site mergingSite() {
    return joinsInProjector ? new Site.AfterVision() : new Site.BeforeProjector();
  }

  /** The features that are merged at the {@linkplain #mergingSite() merging site}. */
  public Stage mergingStage() {
    return joinsInProjector ? Stage.PROJECTED : Stage.BEFORE_PROJECTOR;
  }

  /** Whether every token attends to the whole image in a layer. */
  public boolean seesWholeImage(int layer) {
    return !windowedLayers.contains(layer);
  }

  /**
   * The last layer that sees the whole image; the last layer that runs where none does, so that
   * looking at it is refused.
   */
  public int lastWholeLayer() {
    return IntStream.iterate(layers - 1, layer -> layer >= 0, layer -> layer - 1)
        .filter(this::seesWholeImage)
        .findFirst()
        .orElse(layers - 1);
  }

  /**
   * The first layer from a given one on that sees the whole image; that layer itself where none
   * does.
   *
   * @param layer vision layer, counted from 0
   */
  public int wholeLayerFrom(int layer) {
    return IntStream.range(layer, layers).filter(this::seesWholeImage).findFirst().orElse(layer);
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

  /** Starts from these sizes. */
  public Builder toBuilder() {
    return new Builder()
        .layers(layers)
        .hidden(hidden)
        .heads(heads)
        .intermediate(intermediate)
        .grid(gridRows, gridColumns)
        .patchDim(patchDim)
        .cls(hasCls)
        .patchesPerToken(patchesPerToken)
        .projectorHidden(projectorHidden)
        .windowedLayers(windowedLayers)
        .joinsInProjector(joinsInProjector);
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
    private Set<Integer> windowedLayers = Set.of();
    private boolean joinsInProjector;

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

    /** Sets the layers that attend within windows of the image; none unless set. */
    public Builder windowedLayers(Set<Integer> layers) {
      windowedLayers = layers;
      return this;
    }

    /** Sets whether patches become visual tokens in the projector only. */
    public Builder joinsInProjector(boolean joins) {
      joinsInProjector = joins;
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
          patchDim,
          hasCls,
          gridRows,
          gridColumns,
          patchesPerToken,
          projectorHidden,
          windowedLayers,
          joinsInProjector);
    }
  }
}

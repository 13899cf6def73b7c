package dev.squint.engine.internal.vision;

import dev.squint.engine.internal.tokens.TileParts;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What was observed in the vision tower, over all patches.
 *
 * @param shape images, then the axes of the expression
 * @param values its numbers
 */
public record TowerValues(int[] shape, float[] values) {

  /**
   * Of several images, one after the other.
   *
   * @throws ModelException if the images are not of one size
   */
  static TowerValues joined(List<TowerValues> images) {
    int[] shape = images.get(0).shape.clone();
    int size = 0;
    for (TowerValues image : images) {
      if (!Arrays.equals(shape, 1, shape.length, image.shape, 1, image.shape.length)) {
        throw new ModelException(
            Kind.REFUSED_STRATEGY,
            "the images of the prompt are of different sizes, so what the vision tower says of them cannot be compared; resize them to one size or choose a strategy that looks at features or text");
      }
      size += image.values.length;
    }
    float[] values = new float[size];
    int count = 0;
    int at = 0;
    for (TowerValues image : images) {
      System.arraycopy(image.values, 0, values, at, image.values.length);
      at += image.values.length;
      count += image.shape[0];
    }
    shape[0] = count;
    return new TowerValues(shape, values);
  }

  /**
   * Of the live visual tokens.
   *
   * @throws ModelException if patches are not visual tokens, or are compared across tiles
   */
  public Observation of(Expression need, SiteContext context) {
    List<Axis> axes = need.axes();
    int[] visual = IntStream.range(0, axes.size()).filter(i -> axes.get(i).isVisual()).toArray();
    if (visual.length == 0) {
      int columns = axes.isEmpty() ? 1 : shape[axes.size()];
      return Observation.over(columns == 0 ? 0 : values.length / columns, columns, values);
    }
    int images = shape[0];
    int perImage = shape[visual[0] + 1];
    int original = context.originalVisualTokens();
    if (images * perImage != original) {
      throw new ModelException(
          "%s speaks of %d patches, but the image has %d visual tokens; a tower that merges patches cannot be scored this way"
              .formatted(need, images * perImage, original));
    }
    if (need.pairsVisual()) {
      checkTiles(need, perImage, context);
    }
    int[] originals = context.liveOriginals();
    boolean all = Arrays.equals(originals, IntStream.range(0, original).toArray());
    if (all && visual[0] == 0) {
      int columns = axes.size() == 1 ? original : shape[axes.size()];
      return Observation.over(columns == 0 ? 0 : values.length / columns, columns, values);
    }
    List<TileParts.Part> parts = new ArrayList<>();
    int size = values.length / images;
    for (int from = 0, to = 0; from < originals.length; from = to) {
      int image = originals[from] / perImage;
      while (to < originals.length && originals[to] / perImage == image) {
        to++;
      }
      int[] tokens =
          Arrays.stream(originals, from, to).map(token -> token - image * perImage).toArray();
      parts.add(new TileParts.Part(values, image * size, perImage, tokens));
    }
    return new TileParts(axes, Arrays.copyOfRange(shape, 1, shape.length), parts).joined();
  }

  /** Patches are compared within what the tower takes as one image, which has to be a tile. */
  private static void checkTiles(Expression need, int patches, SiteContext context) {
    SiteContext whole = SiteContext.whole(new Site.AfterVision(), context.layout(), context.seed());
    for (Scope.Group tile : Scope.TILE.groups(whole)) {
      if (tile.size() != patches) {
        throw new ModelException(
            "%s compares the %d patches of one image, but the prompt has a tile of %d visual tokens; lay out each image that the tower takes as a tile of its own"
                .formatted(need, patches, tile.size()));
      }
    }
  }
}

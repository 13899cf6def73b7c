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
 * What was observed in the vision tower, tile by tile.
 *
 * @param images the images of a prompt, in order
 */
public record TowerValues(List<Seen> images) {

  /** Copies the list. */
  public TowerValues {
    images = List.copyOf(images);
  }

  /**
   * Of one image.
   *
   * @param shape its tiles, then the axes of the expression
   * @param values its numbers
   */
  record Seen(int[] shape, float[] values) {}

  /**
   * A tile.
   *
   * @param image the image that it is of
   * @param offset where its numbers begin
   * @param tokens its visual tokens
   * @param first the first of these, counted through the prompt
   */
  private record Tile(Seen image, int offset, int tokens, int first) {

    TileParts.Part part(int[] originals) {
      return new TileParts.Part(
          image.values,
          offset,
          tokens,
          Arrays.stream(originals).map(token -> token - first).toArray());
    }
  }

  /**
   * Of one image.
   *
   * @param shape its tiles, then the axes of the expression
   * @param values its numbers
   */
  public static TowerValues of(int[] shape, float[] values) {
    return new TowerValues(List.of(new Seen(shape, values)));
  }

  /** Of several images, one after the other. */
  static TowerValues joined(List<TowerValues> images) {
    return new TowerValues(images.stream().flatMap(image -> image.images.stream()).toList());
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
      return ofNoTokens(axes);
    }
    List<Tile> tiles = tiles(visual[0] + 1);
    int observed = tiles.stream().mapToInt(Tile::tokens).sum();
    int original = context.originalVisualTokens();
    if (observed != original) {
      throw new ModelException(
          Kind.REFUSED_STRATEGY,
          "%s speaks of %d patches, but the image has %d visual tokens; choose a strategy that looks at features or text"
              .formatted(need, observed, original));
    }
    if (need.pairsVisual()) {
      checkTiles(need, tiles, context);
    }
    int[] originals = context.liveOriginals();
    Seen first = images.get(0);
    if (images.size() == 1
        && visual[0] == 0
        && Arrays.equals(originals, IntStream.range(0, original).toArray())) {
      int columns = axes.size() == 1 ? original : first.shape[axes.size()];
      return Observation.over(
          columns == 0 ? 0 : first.values.length / columns, columns, first.values);
    }
    List<TileParts.Part> parts = new ArrayList<>();
    int tile = 0;
    for (int from = 0, to = 0; from < originals.length; from = to) {
      while (originals[from] >= tiles.get(tile).first + tiles.get(tile).tokens) {
        tile++;
      }
      int end = tiles.get(tile).first + tiles.get(tile).tokens;
      while (to < originals.length && originals[to] < end) {
        to++;
      }
      parts.add(tiles.get(tile).part(Arrays.copyOfRange(originals, from, to)));
    }
    return new TileParts(axes, Arrays.copyOfRange(first.shape, 1, first.shape.length), parts)
        .joined();
  }

  private List<Tile> tiles(int tokenAxis) {
    List<Tile> tiles = new ArrayList<>();
    int next = 0;
    for (Seen image : images) {
      int tokens = image.shape[tokenAxis];
      int size = image.values.length / Math.max(1, image.shape[0]);
      for (int tile = 0; tile < image.shape[0]; tile++, next += tokens) {
        tiles.add(new Tile(image, tile * size, tokens, next));
      }
    }
    return tiles;
  }

  /** Numbers of each tile, one row after the other. */
  private Observation ofNoTokens(List<Axis> axes) {
    int columns = axes.isEmpty() ? 1 : images.get(0).shape[axes.size()];
    float[] values = new float[images.stream().mapToInt(image -> image.values.length).sum()];
    int at = 0;
    for (Seen image : images) {
      System.arraycopy(image.values, 0, values, at, image.values.length);
      at += image.values.length;
    }
    return Observation.over(columns == 0 ? 0 : values.length / columns, columns, values);
  }

  /** Patches are compared within what the tower takes as one image, which has to be a tile. */
  private static void checkTiles(Expression need, List<Tile> tiles, SiteContext context) {
    SiteContext whole = SiteContext.whole(new Site.AfterVision(), context.layout(), context.seed());
    List<Scope.Group> groups = Scope.TILE.groups(whole);
    for (int i = 0; i < groups.size(); i++) {
      int compared = i < tiles.size() ? tiles.get(i).tokens : 0;
      if (groups.get(i).size() != compared) {
        throw new ModelException(
            "%s compares the %d patches of one image, but the prompt has a tile of %d visual tokens; lay out each image that the tower takes as a tile of its own"
                .formatted(need, compared, groups.get(i).size()));
      }
    }
  }
}

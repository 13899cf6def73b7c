package dev.squint.engine.internal.vision;

import dev.squint.engine.internal.tokens.TileParts;
import dev.squint.engine.request.FeaturePacking;
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

    int end() {
      return first + tokens;
    }

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
    List<Scope.Group> groups = groups(need, context);
    if (need.pairsVisual()) {
      checkTiles(need, tiles, groups);
    }
    int[] originals = context.liveOriginals();
    Seen first = images.get(0);
    if (images.size() == 1
        && (!need.pairsVisual() || groups.size() == tiles.size())
        && visual[0] == 0
        && new TileParts.Part(first.values, 0, original, originals).isWhole()) {
      int columns = axes.size() == 1 ? original : first.shape[axes.size()];
      return Observation.over(
          columns == 0 ? 0 : first.values.length / columns, columns, first.values);
    }
    List<TileParts.Part> parts = new ArrayList<>();
    int tile = 0;
    int group = 0;
    for (int from = 0, to = 0; from < originals.length; from = to) {
      while (originals[from] >= tiles.get(tile).end()) {
        tile++;
      }
      while (originals[from] >= groups.get(group).to()) {
        group++;
      }
      int end = Math.min(tiles.get(tile).end(), groups.get(group).to());
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

  /** Among which visual tokens of the unpruned prompt pairs are wanted. */
  private static List<Scope.Group> groups(Expression need, SiteContext context) {
    return need.pairsVisual()
        ? Scope.TILE.groups(
            SiteContext.whole(new Site.AfterVision(), context.layout(), context.seed()))
        : List.of(new Scope.Group(0, context.originalVisualTokens()));
  }

  /** Patches are compared within what the tower takes as one image, which a tile has to lie in. */
  private static void checkTiles(Expression need, List<Tile> tiles, List<Scope.Group> groups) {
    int tile = 0;
    for (Scope.Group group : groups) {
      while (group.from() >= tiles.get(tile).end()) {
        tile++;
      }
      if (group.to() > tiles.get(tile).end()) {
        throw new ModelException(
            "%s compares the %d patches of one image, but the prompt has a tile of %d visual tokens; lay out each image that the tower takes as a tile of its own"
                .formatted(need, tiles.get(tile).tokens, group.size()));
      }
    }
  }

  /**
   * Of visual tokens that are put together of tiles: the sum that makes the token, of what was
   * observed of its rows; 0 where it is none of them.
   *
   * @param need what was observed, with one axis of visual tokens at most
   */
  TowerValues packed(Expression need, FeaturePacking packing) {
    List<Axis> axes = need.axes();
    int axis = 0;
    while (axis < axes.size() && !axes.get(axis).isVisual()) {
      axis++;
    }
    if (axis == axes.size()) {
      return this;
    }
    Seen seen = images.get(0);
    int[] shape = seen.shape.clone();
    int outer = product(shape, 1, axis + 1);
    int rows = shape[axis + 1];
    int inner = product(shape, axis + 2, shape.length);
    int tokens = packing.tokens();
    int[] sources = packing.sources();
    float[] weights = packing.weights();
    float[] made = new float[outer * tokens * inner];
    for (int i = 0; i < sources.length; i++) {
      int tile = sources[i] / rows;
      float weight = weights.length == 0 ? 1 : weights[i];
      for (int o = 0; tile < shape[0] && o < outer; o++) {
        int from = ((tile * outer + o) * rows + sources[i] % rows) * inner;
        int to = (o * tokens + i % tokens) * inner;
        for (int number = 0; number < inner; number++) {
          made[to + number] += weight * seen.values[from + number];
        }
      }
    }
    shape[0] = 1;
    shape[axis + 1] = tokens;
    return of(shape, made);
  }

  private static int product(int[] shape, int from, int to) {
    return Arrays.stream(shape, from, to).reduce(1, Math::multiplyExact);
  }
}

package dev.squint.family.idefics3;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.request.IntegerInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.family.ImageOptions;
import dev.squint.family.ImagePart;
import dev.squint.family.ModelFamily;
import dev.squint.family.PromptImage;
import dev.squint.family.TokenMap;
import dev.squint.family.prompt.ChatPrompts;
import dev.squint.family.prompt.PromptFiles;
import dev.squint.image.RgbImage;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Idefics3 and SmolVLM: an image is cut into a grid of tiles, and all of it is one more tile behind
 * them.
 *
 * @param processor makes pixel values
 * @param text writes the tiles into the prompt
 * @param prompts makes token ids
 * @param side rows and columns of the visual tokens of a tile
 * @param masked whether the tower asks which pixels are padding; none are
 */
record Idefics3Family(
    TileProcessor processor, TileText text, ChatPrompts prompts, int side, boolean masked)
    implements ModelFamily {

  private static final String PIXELS = "pixel_values";
  private static final String MASK = "pixel_attention_mask";
  private static final Set<String> INPUTS = Set.of(PIXELS, MASK);
  private static final int TILES_RANK = 5;
  private static final int MOST_TOKENS = 1 << 20;

  private static final Map<String, String> MARKERS =
      Map.of("fake_image_token", TileText.AROUND, "global_image_token", TileText.WHOLE);

  static Idefics3Family open(VisionLanguageModel model) {
    Set<String> inputs = model.visionInputs();
    if (!INPUTS.containsAll(inputs) || model.visionRank() != TILES_RANK) {
      throw new ModelException(
          "the vision encoder takes %s with %d axes of pixels, but that of an Idefics3 takes tiles as '%s' [1, tiles, 3, height, width] and '%s'; export the tower with these"
              .formatted(Printable.of(inputs.toString()), model.visionRank(), PIXELS, MASK));
    }
    TileProcessor processor = TileFields.read(model.folder());
    int side = side(model, processor.sizes().tile());
    checkMarkers(model.folder());
    ChatPrompts prompts = ChatPrompts.open(PromptFiles.of(model), model.config());
    try {
      Idefics3Family family =
          new Idefics3Family(
              processor,
              new TileText(prompts.placeholder(1), side * side),
              prompts,
              side,
              inputs.contains(MASK));
      family.requireToken(TileText.AROUND);
      family.requireToken(TileText.WHOLE);
      return family;
    } catch (RuntimeException | Error e) {
      prompts.close();
      throw e;
    }
  }

  /** Rows and columns of the visual tokens of a tile. */
  private static int side(VisionLanguageModel model, int tile) {
    ModelConfig.Vision vision = model.config().vision();
    int patches = tile / vision.patchSize();
    if (patches == 0 || patches % vision.mergeSide() != 0) {
      throw new ModelException(
          "a tile of %d pixels has %d patches in a row, which do not join into visual tokens of %d; use the preprocessor_config.json of this model"
              .formatted(tile, patches, vision.mergeSide()));
    }
    int side = patches / vision.mergeSide();
    ModelJson json = ModelJson.readIfThere(model.folder().resolve("processor_config.json"));
    int said = json.whole("image_seq_len", 1, MOST_TOKENS).orElse(side * side);
    if (said != side * side) {
      throw new ModelException(
          "%s: 'image_seq_len' is %d, but a tile of %d pixels becomes %d visual tokens; use the files of one model"
              .formatted(json.file(), said, tile, side * side));
    }
    return side;
  }

  private static void checkMarkers(Path folder) {
    ModelJson json = ModelJson.readIfThere(folder.resolve("tokenizer_config.json"));
    MARKERS.forEach(
        (field, marker) -> {
          String named = json.text(field).orElse(marker);
          if (!named.equals(marker)) {
            throw new ModelException(
                "%s: '%s' is '%s', but only '%s' is known to mark tiles; use the tokenizer of an Idefics3"
                    .formatted(json.file(), field, Printable.of(named), marker));
          }
        });
  }

  private void requireToken(String marker) {
    if (!prompts.isAdded(marker)) {
      throw new ModelException(
          "tokenizer.json has no token '%s', which marks the tiles of an image; use the tokenizer that belongs to the model"
              .formatted(marker));
    }
  }

  @Override
  public RgbImage seen(RgbImage image) {
    return processor.seen(image);
  }

  @Override
  public PromptImage prepare(RgbImage image, ImageOptions options) {
    TileSizes sizes =
        processor
            .sizes()
            .within(image.width(), image.height(), options.minPixels(), options.maxPixels());
    return put(image, processor.with(sizes));
  }

  /** Tokens of the tiles side by side, and those of the tile that shows all of the image. */
  @Override
  public List<TokenMap> maps(RgbImage image) {
    Tiling tiling = processor.tiling(image);
    int whole = tiling.rows() * tiling.columns();
    int last = whole * side * side;
    TokenMap all = new TokenMap(side, side, IntStream.range(last, last + side * side).toArray());
    if (whole == 0) {
      return List.of(all);
    }
    int across = tiling.columns() * side;
    int[] tokens = new int[last];
    for (int i = 0; i < last; i++) {
      int row = i / across;
      int column = i % across;
      int tile = row / side * tiling.columns() + column / side;
      tokens[i] = (tile * side + row % side) * side + column % side;
    }
    return List.of(new TokenMap(tiling.rows() * side, across, tokens), all);
  }

  @Override
  public PromptImage resized(RgbImage image, int rows, int columns) {
    throw new ModelException(
        Kind.BAD_REQUEST,
        "an image cannot become a grid of %d x %d visual tokens, since this model sees tiles of %d x %d; allow fewer pixels instead"
            .formatted(rows, columns, side, side));
  }

  private PromptImage put(RgbImage image, TileProcessor by) {
    Tiling tiling = by.tiling(image);
    requirePlaces(image, tiling);
    int tile = by.sizes().tile();
    int tiles = tiling.tiles();
    Map<String, IntegerInput> mask =
        masked ? Map.of(MASK, IntegerInput.ones(1, tiles, tile, tile)) : Map.of();
    return new PromptImage(
        new PixelValues(by.values(image), new long[] {1, tiles, 3, tile, tile}, mask),
        text.of(tiling),
        IntStream.range(0, tiles).mapToObj(part -> ImagePart.grid(part, side, side)).toList());
  }

  /** Refuses a grid that the tokenizer cannot name; rows and columns are named up to some size. */
  private void requirePlaces(RgbImage image, Tiling tiling) {
    for (int row = 1; row <= tiling.rows(); row++) {
      for (int column = 1; column <= tiling.columns(); column++) {
        if (!prompts.isAdded(TileText.place(row, column))) {
          throw new ModelException(
              Kind.BAD_REQUEST,
              "an image of %dx%d becomes %d x %d tiles, but the tokenizer has no token '%s'; send it smaller, or with fewer pixels allowed"
                  .formatted(
                      image.width(),
                      image.height(),
                      tiling.rows(),
                      tiling.columns(),
                      TileText.place(row, column)));
        }
      }
    }
  }
}

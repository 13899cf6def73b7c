package dev.squint.family.anyres;

import dev.squint.engine.VisionLanguageModel;
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
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * LLaVA-OneVision and LLaVA-NeXT. Their graphs see a tile and know nothing of how tiles are put
 * together. Where the newline that goes between rows of tokens is among the files, an image is seen
 * whole and in tiles, as transformers does; where it is not, whole in one tile, as Transformers.js
 * does.
 *
 * @param images makes tiles
 * @param prompts makes token ids
 * @param tokens visual tokens of a tile
 * @param newline what goes after each row of tokens
 * @param mostTiles the tokens of more than about so many tiles are shrunk to those of these
 */
record AnyResFamily(
    TileProcessor images,
    ChatPrompts prompts,
    int tokens,
    Optional<float[]> newline,
    OptionalInt mostTiles)
    implements ModelFamily {

  static final String ONEVISION = "llava_onevision";
  static final String NEXT = "llava_next";

  private static final Set<String> PIXELS = Set.of("pixel_values");
  private static final int TILES_RANK = 4;
  private static final String ASPECT = "vision_aspect_ratio";
  private static final Pattern MOST_TILES = Pattern.compile("anyres_max_(\\d{1,4})");
  private static final int USUAL_MOST_TILES = 9;
  private static final String PINPOINTS = "image_grid_pinpoints";
  private static final int LARGEST_SIDE = 1 << 14;

  static AnyResFamily open(VisionLanguageModel model) {
    if (!model.visionInputs().equals(PIXELS) || model.visionRank() != TILES_RANK) {
      throw new ModelException(
          "the vision encoder takes %s, but that of a model with tiles takes 'pixel_values' of [tiles, 3, height, width] alone; export the tower and the projector with that input"
              .formatted(Printable.of(model.visionInputs().toString())));
    }
    boolean onevision = model.config().modelType().equals(ONEVISION);
    ModelJson config = ModelJson.read(model.folder().resolve("config.json"));
    TileProcessor images = TileProcessor.read(model.folder(), onevision);
    images.checkFits(model.config().vision().imageSize());
    checkResolutions(config, images);
    int tokens = model.config().visualTokens();
    Optional<float[]> newline = NewlineVector.find(model);
    if (newline.isPresent() && side(tokens) * side(tokens) != tokens) {
      throw new ModelException(
          "the vision encoder makes %d visual tokens of a tile, which form no square, so tiles cannot be put together; export it with one token for each patch"
              .formatted(tokens));
    }
    OptionalInt mostTiles = onevision ? OptionalInt.of(mostTiles(config)) : OptionalInt.empty();
    return new AnyResFamily(
        images,
        ChatPrompts.open(PromptFiles.of(model), model.config()),
        tokens,
        newline,
        mostTiles);
  }

  /** Tokens a side of a tile. */
  private static int side(int tokens) {
    return (int) Math.round(Math.sqrt(tokens));
  }

  private static int mostTiles(ModelJson config) {
    String ratio = config.text(ASPECT).orElse("anyres_max_" + USUAL_MOST_TILES);
    Matcher most = MOST_TILES.matcher(ratio);
    if (!most.matches() || Integer.parseInt(most.group(1)) == 0) {
      throw config.wrong(ASPECT, "anyres_max_ and a number");
    }
    return Integer.parseInt(most.group(1));
  }

  /** The model puts together what the processor has cut, so both have to say the same. */
  private static void checkResolutions(ModelJson config, TileProcessor images) {
    List<Resolution> ofModel =
        config.sequences(PINPOINTS, 1, LARGEST_SIDE).stream()
            .filter(pair -> pair.size() == 2)
            .map(pair -> new Resolution(pair.get(0).intValue(), pair.get(1).intValue()))
            .toList();
    if (config.has(PINPOINTS) && !ofModel.equals(images.resolutions())) {
      throw new ModelException(
          "%s and %s have other '%s'; use the files of one model"
              .formatted(config.file(), images.source(), PINPOINTS));
    }
  }

  @Override
  public RgbImage seen(RgbImage image) {
    return images.whole(image);
  }

  @Override
  public List<TokenMap> maps(RgbImage image) {
    int side = side(tokens);
    if (newline.isEmpty()) {
      return side * side == tokens ? List.of(TokenMap.grid(side, side)) : List.of();
    }
    TileMap map = map(image);
    int shown = map.rows() * map.columns();
    TokenMap whole =
        new TokenMap(
            side, side, TokenMap.grid(side, side).tokens(), shown == 0 ? map.mapTokens() : 0);
    if (shown == 0) {
      return List.of(whole);
    }
    int[] cells = new int[shown];
    for (int i = 0; i < shown; i++) {
      cells[i] = tokens + i / map.columns() * (map.columns() + 1) + i % map.columns();
    }
    return List.of(whole, new TokenMap(map.rows(), map.columns(), cells, map.rows()));
  }

  @Override
  public PromptImage prepare(RgbImage image, ImageOptions options) {
    if (!options.isOwnSize()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "images of this model are cut into tiles of one size, whatever their area; ask without bounds of pixels");
    }
    boolean square = images.squares() && !options.alone();
    if (newline.isEmpty()) {
      RgbImage tile = square ? images.square(image) : images.whole(image);
      return new PromptImage(
          images.values(List.of(tile)), prompts.placeholder(tokens), List.of(tile()));
    }
    return square
        ? packed(List.of(images.square(image)), TileMap.whole(side(tokens)))
        : packed(images.tiles(image), map(image));
  }

  private TileMap map(RgbImage image) {
    Resolution grid = images.grid(image);
    return TileMap.of(
        image.width(), image.height(), grid.height(), grid.width(), side(tokens), mostTiles);
  }

  private PromptImage packed(List<RgbImage> tiles, TileMap map) {
    PixelValues pixels = images.values(tiles).packed(map.packing(newline.orElseThrow()));
    List<ImagePart> parts = new ArrayList<>(List.of(tile()));
    if (map.mapTokens() > 0) {
      parts.add(new ImagePart(1, map.mapTokens(), 0, 0));
    }
    return new PromptImage(pixels, prompts.placeholder(tokens + map.mapTokens()), parts);
  }

  /** The tokens of the whole image. */
  private ImagePart tile() {
    int side = side(tokens);
    return side * side == tokens ? ImagePart.grid(0, side, side) : new ImagePart(0, tokens, 0, 0);
  }

  @Override
  public PromptImage resized(RgbImage image, int rows, int columns) {
    throw new ModelException(
        Kind.BAD_REQUEST,
        "the vision tower takes tiles of %dx%d pixels only; ask about the image as it is"
            .formatted(images.side(), images.side()));
  }

  @Override
  public List<String> notes() {
    return newline.isPresent()
        ? List.of()
        : List.of(
            "no image_newline: any-res tiles are not used, and an image is seen whole in %dx%d pixels; put the model's model.safetensors or image_newline.npy beside config.json to use them"
                .formatted(images.side(), images.side()));
  }
}

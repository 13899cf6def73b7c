package dev.squint.family.idefics3;

import dev.squint.engine.request.PixelValues;
import dev.squint.image.Resampler;
import dev.squint.image.RgbImage;
import dev.squint.processor.Normalization;
import java.nio.FloatBuffer;

/**
 * Images to pixel values of tiles, as {@code Idefics3ImageProcessorPil} of transformers makes them:
 * resized up to three times, each time in 8 bits a sample.
 *
 * <p>PyTorch's tower takes a tile whose values are all 0 for padding and leaves it out. With the
 * mean and deviation of the hub's models no sample becomes 0.
 *
 * @param sizes the sizes that an image goes through
 * @param resampler how it is resized
 * @param normalization how samples become values
 */
record TileProcessor(TileSizes sizes, Resampler resampler, Normalization normalization) {

  /** The same with other sizes. */
  TileProcessor with(TileSizes others) {
    return new TileProcessor(others, resampler, normalization);
  }

  Tiling tiling(RgbImage image) {
    return sizes.of(image.width(), image.height());
  }

  /** The image that is cut into tiles; the last tile shows all of it. */
  RgbImage seen(RgbImage image) {
    TileSizes.Size first = sizes.first().of(image.width(), image.height());
    Tiling tiling = tiling(image);
    RgbImage resized = resampler.resize(image, first.width(), first.height());
    return resampler.resize(resized, tiling.width(), tiling.height());
  }

  /** Pixel values [tiles, 3, side, side] of an image, the one with all of it last. */
  FloatBuffer values(RgbImage image) {
    int side = sizes.tile();
    Tiling tiling = tiling(image);
    RgbImage seen = seen(image);
    FloatBuffer data = PixelValues.buffer(tiling.tiles(), 3, side, side);
    for (int row = 0; row < tiling.rows(); row++) {
      for (int column = 0; column < tiling.columns(); column++) {
        normalization.put(tile(seen, column * side, row * side), data);
      }
    }
    normalization.put(resampler.resize(seen, side, side), data);
    return data.flip();
  }

  private RgbImage tile(RgbImage of, int left, int top) {
    int row = 3 * sizes.tile();
    byte[] rgb = new byte[row * sizes.tile()];
    for (int y = 0; y < sizes.tile(); y++) {
      System.arraycopy(of.rgb(), 3 * ((top + y) * of.width() + left), rgb, y * row, row);
    }
    return new RgbImage(sizes.tile(), sizes.tile(), rgb);
  }
}

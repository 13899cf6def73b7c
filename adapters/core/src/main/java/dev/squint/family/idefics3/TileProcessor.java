package dev.squint.family.idefics3;

import dev.squint.image.Resampler;
import dev.squint.image.RgbImage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
 * @param factor samples are multiplied by this
 * @param mean subtracted from each channel after that
 * @param deviation each channel is divided by this then
 */
record TileProcessor(
    TileSizes sizes, Resampler resampler, double factor, double[] mean, double[] deviation) {

  /** The same with other sizes. */
  TileProcessor with(TileSizes others) {
    return new TileProcessor(others, resampler, factor, mean, deviation);
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
    float[][] values = valuesOfSamples();
    FloatBuffer data =
        ByteBuffer.allocateDirect(
                Math.multiplyExact(tiling.tiles() * 3 * Float.BYTES, side * side))
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    for (int row = 0; row < tiling.rows(); row++) {
      for (int column = 0; column < tiling.columns(); column++) {
        put(seen, column * side, row * side, values, data);
      }
    }
    put(resampler.resize(seen, side, side), 0, 0, values, data);
    return data.flip();
  }

  private void put(RgbImage from, int left, int top, float[][] values, FloatBuffer data) {
    for (int channel = 0; channel < 3; channel++) {
      for (int y = top; y < top + sizes.tile(); y++) {
        for (int x = left; x < left + sizes.tile(); x++) {
          data.put(values[channel][from.sample(x, y, channel)]);
        }
      }
    }
  }

  private float[][] valuesOfSamples() {
    float[][] values = new float[3][256];
    for (int channel = 0; channel < 3; channel++) {
      for (int sample = 0; sample < 256; sample++) {
        values[channel][sample] =
            (float) ((factor * sample - mean[channel]) / deviation[channel]);
      }
    }
    return values;
  }
}

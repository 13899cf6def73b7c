package dev.squint.image;

import java.util.Optional;
import org.opencv.core.Mat;

/**
 * A JPEG about which a decoder has nothing to print. Leptonica decodes those of colour, OpenCV the
 * others, and all where there is no Leptonica; both give the same samples.
 *
 * @param encoded the file
 * @param jpeg what its segments say
 */
record NativeJpeg(EncodedImage encoded, Jpeg jpeg) implements PixelDecoder {

  @Override
  public Mat decode(String name) {
    return NativeDecoder.opaque(encoded).decode(name);
  }

  @Override
  public Optional<RgbImage> upright(Orientation orientation) {
    return jpeg.components() == 3
        ? Leptonica.decodeJpeg(encoded.body(), jpeg, orientation)
        : Optional.empty();
  }
}

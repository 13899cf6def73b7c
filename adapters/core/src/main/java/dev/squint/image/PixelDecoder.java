package dev.squint.image;

import java.util.Optional;
import org.opencv.core.Mat;

/** Decodes the pixels of a file whose header was found sound. */
interface PixelDecoder {

  /**
   * Decodes them.
   *
   * @param name what the file is called in messages
   * @return a new matrix as stored, upright or not, to be released by the caller: 8-bit BGR, or
   *     BGRA of 8 or 16 bits that is not premultiplied
   * @throws ImageException if the pixels are damaged
   */
  Mat decode(String name);

  /**
   * Decodes them right into an image, which saves a copy.
   *
   * @param orientation how the camera was held
   * @return the image upright; empty where this cannot be done
   */
  default Optional<RgbImage> upright(Orientation orientation) {
    return Optional.empty();
  }
}

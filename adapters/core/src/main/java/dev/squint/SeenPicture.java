package dev.squint;

import dev.squint.engine.vision.EncodedPictures;
import dev.squint.engine.request.PixelValues;

/**
 * A picture that questions are asked about, decoded and encoded once. Any number of threads may ask
 * about it at once. Close it to free its features; that waits for the questions under way.
 */
public final class SeenPicture implements AutoCloseable {

  private final PixelValues pixels;
  private final EncodedPictures encoded;

  SeenPicture(PixelValues pixels, EncodedPictures encoded) {
    this.pixels = pixels;
    this.encoded = encoded;
  }

  PixelValues pixels() {
    return pixels;
  }

  EncodedPictures encoded() {
    return encoded;
  }

  @Override
  public void close() {
    encoded.close();
  }
}

package dev.squint;

import dev.squint.engine.request.PixelValues;
import dev.squint.engine.request.PreparedImages;

/**
 * An image that questions are asked about, decoded and encoded once. Any number of threads may ask
 * about it at once. Close it to free its features; that waits for the questions under way.
 */
public final class PreparedImage implements AutoCloseable {

  private final PixelValues pixels;
  private final PreparedImages encoded;

  PreparedImage(PixelValues pixels, PreparedImages encoded) {
    this.pixels = pixels;
    this.encoded = encoded;
  }

  PixelValues pixels() {
    return pixels;
  }

  PreparedImages encoded() {
    return encoded;
  }

  @Override
  public void close() {
    encoded.close();
  }
}

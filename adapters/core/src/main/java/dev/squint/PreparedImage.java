package dev.squint;

import dev.squint.engine.request.PreparedImages;
import dev.squint.family.PromptImage;

/**
 * An image that questions are asked about, decoded and encoded once. Any number of threads may ask
 * about it at once. Close it to free its features; that waits for the questions under way.
 */
public final class PreparedImage implements AutoCloseable {

  private final PromptImage image;
  private final PreparedImages encoded;

  PreparedImage(PromptImage image, PreparedImages encoded) {
    this.image = image;
    this.encoded = encoded;
  }

  PromptImage image() {
    return image;
  }

  PreparedImages encoded() {
    return encoded;
  }

  @Override
  public void close() {
    encoded.close();
  }
}

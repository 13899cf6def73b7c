package dev.squint;

import dev.squint.family.ImageOptions;
import dev.squint.image.ImageInput;

/**
 * An image as a request shows it; the same image may be shown in two ways.
 *
 * @param image the image
 * @param options how it is prepared
 */
record ShownImage(ImageInput image, ImageOptions options) {}

package dev.squint.adapters;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import javax.imageio.ImageIO;

/**
 * An encoded picture (PNG, JPEG, BMP, WebP, TIFF) and what to call it in messages. The size is
 * checked from the header where the format has a reader, the pixels when the picture is used.
 */
public final class ImageInput {

  private static final String UNNAMED = "the given input";
  private static final int SIGNATURE = 16;
  private static final int MOST_BYTES = 512 << 20;

  private final String name;
  private final byte[] encoded;
  private final ImageHeader header;

  private ImageInput(String name, byte[] encoded) {
    this.name = name;
    this.encoded = encoded;
    this.header = ImageHeader.read(name, encoded);
  }

  /**
   * A picture in a file.
   *
   * @throws ImageException if there is no such file, or it is no picture, or its size is out of
   *     bounds
   */
  public static ImageInput of(Path file) {
    if (file.toString().isEmpty()) {
      throw new ImageException("the name of the picture is empty; name a picture file");
    }
    if (Files.isDirectory(file)) {
      throw new ImageException(file + " is a folder; name a picture file");
    }
    if (!Files.exists(file)) {
      throw new ImageException("no such file: " + file + "; check the path of the picture");
    }
    try (InputStream stream = Files.newInputStream(file)) {
      return new ImageInput(file.toString(), read(file.toString(), stream));
    } catch (IOException e) {
      throw new ImageException("cannot read " + file + ": check that you may open it", e);
    }
  }

  /**
   * A picture in memory, encoded.
   *
   * @throws ImageException as for a file
   */
  public static ImageInput of(byte[] encoded) {
    return new ImageInput(UNNAMED, encoded.clone());
  }

  /**
   * A picture read from a stream to its end; the stream stays open.
   *
   * @throws ImageException as for a file
   */
  public static ImageInput of(InputStream stream) {
    try {
      return new ImageInput(UNNAMED, read(UNNAMED, stream));
    } catch (IOException e) {
      throw new ImageException("cannot read the picture from its stream", e);
    }
  }

  /**
   * A picture of the Java desktop library.
   *
   * @throws ImageException if its size is out of bounds
   */
  public static ImageInput of(BufferedImage image) {
    Objects.requireNonNull(image, "image");
    var out = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image, "png", out)) {
        throw new ImageException(
            "the picture's colour model cannot be encoded; convert it to TYPE_INT_RGB");
      }
    } catch (IOException e) {
      throw new ImageException("the picture cannot be encoded", e);
    }
    return new ImageInput(UNNAMED, out.toByteArray());
  }

  /** All of a stream, but no more than its start if that is not how a picture starts. */
  private static byte[] read(String name, InputStream stream) throws IOException {
    byte[] start = stream.readNBytes(SIGNATURE);
    ImageHeader.checkSignature(name, start);
    byte[] rest = stream.readNBytes(MOST_BYTES);
    if (stream.read() >= 0) {
      throw new ImageException(
          name + " is larger than " + (MOST_BYTES >> 20) + " MB; scale it down first");
    }
    byte[] all = Arrays.copyOf(start, start.length + rest.length);
    System.arraycopy(rest, 0, all, start.length, rest.length);
    return all;
  }

  String name() {
    return name;
  }

  ImageHeader header() {
    return header;
  }

  byte[] encoded() {
    return encoded;
  }
}

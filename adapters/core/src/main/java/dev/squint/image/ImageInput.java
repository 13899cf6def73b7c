package dev.squint.image;

import dev.squint.onnx.internal.io.Printable;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import javax.imageio.ImageIO;

/**
 * An encoded image (PNG, JPEG, BMP, WebP, TIFF, the first frame of GIF, PBM, PGM, PPM) and what to
 * call it in messages. Its size is checked at once from its header, compressed samples of PNG and
 * JPEG are too; other pixels are when the image is used. A file is held once in the Java heap.
 */
public final class ImageInput {

  private static final String UNNAMED = "the given input";
  private static final int SIGNATURE = 16;
  private static final int MOST_BYTES = 512 << 20;

  private final String name;
  private final ImageHeader header;

  /** Takes bytes that nobody else holds. */
  private ImageInput(String name, byte[] encoded) {
    this.name = name;
    this.header = ImageHeader.read(name, encoded);
  }

  /**
   * An image in a file.
   *
   * @throws ImageException if there is no such file, or it is no image, or its size is out of
   *     bounds, or it is damaged
   */
  public static ImageInput of(Path file) {
    String name = Printable.of(file.toString(), Integer.MAX_VALUE);
    if (name.isEmpty()) {
      throw new ImageException("the name of the image is empty; name an image file");
    }
    if (Files.isDirectory(file)) {
      throw new ImageException(name + " is a folder; name an image file");
    }
    if (!Files.exists(file)) {
      throw new ImageException("no such file: " + name + "; check the path of the image");
    }
    // Opening a pipe or a device can wait for ever.
    if (!Files.isRegularFile(file)) {
      throw new ImageException(
          name + " is a pipe, a socket or a device; copy the image into an ordinary file");
    }
    try {
      return new ImageInput(name, read(name, file));
    } catch (IOException e) {
      throw new ImageException("cannot read " + name + ": check that you may open it", e);
    } catch (OutOfMemoryError e) {
      throw ImageHeader.tooLarge(name, e);
    }
  }

  /**
   * An image in memory, encoded.
   *
   * @throws ImageException as for a file
   */
  public static ImageInput of(byte[] encoded) {
    checkLength(UNNAMED, encoded.length);
    try {
      return new ImageInput(UNNAMED, encoded.clone());
    } catch (OutOfMemoryError e) {
      throw ImageHeader.tooLarge(UNNAMED, e);
    }
  }

  /**
   * An image in a text: base64 or a data URI, as {@link Base64Image} takes them.
   *
   * @throws ImageException as for a file, or if the text is neither
   */
  public static ImageInput ofBase64(String text) {
    try {
      return new ImageInput(UNNAMED, Base64Image.decode(text));
    } catch (OutOfMemoryError e) {
      throw ImageHeader.tooLarge(UNNAMED, e);
    }
  }

  /**
   * An image read from a stream to its end; the stream stays open.
   *
   * @throws ImageException as for a file
   */
  public static ImageInput of(InputStream stream) {
    try {
      return new ImageInput(UNNAMED, read(UNNAMED, stream));
    } catch (IOException e) {
      throw new ImageException("cannot read the image from its stream", e);
    } catch (OutOfMemoryError e) {
      throw ImageHeader.tooLarge(UNNAMED, e);
    }
  }

  /**
   * An image of the Java desktop library.
   *
   * @throws ImageException if its size is out of bounds, or it cannot be encoded
   */
  public static ImageInput of(BufferedImage image) {
    Objects.requireNonNull(image, "image");
    ImageHeader.checkSize(UNNAMED, image.getWidth(), image.getHeight());
    var out = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image, "png", out)) {
        throw new ImageException(
            "the image's colour model cannot be encoded; convert it to TYPE_INT_RGB");
      }
      return new ImageInput(UNNAMED, out.toByteArray());
    } catch (IOException e) {
      throw new ImageException("the image cannot be encoded", e);
    } catch (OutOfMemoryError e) {
      throw ImageHeader.tooLarge(UNNAMED, e);
    }
  }

  /** All of a file, but no more than its start if that is not how an image starts. */
  private static byte[] read(String name, Path file) throws IOException {
    long size = Files.size(file);
    if (size == 0) {
      // Some files of the system look empty too, and reading them can wait for ever.
      ImageHeader.checkSignature(name, new byte[0]);
    }
    try (InputStream stream = Files.newInputStream(file)) {
      byte[] start = stream.readNBytes((int) Math.min(SIGNATURE, size));
      ImageHeader.checkSignature(name, start);
      checkLength(name, size);
      byte[] all = Arrays.copyOf(start, (int) size);
      int read = start.length + stream.readNBytes(all, start.length, all.length - start.length);
      if (read < size || stream.read() >= 0) {
        throw new ImageException(name + " changed while it was read; try again");
      }
      return all;
    }
  }

  /** All of a stream, but no more than its start if that is not how an image starts. */
  private static byte[] read(String name, InputStream stream) throws IOException {
    byte[] start = stream.readNBytes(SIGNATURE);
    ImageHeader.checkSignature(name, start);
    InputStream all = new SequenceInputStream(new ByteArrayInputStream(start), stream);
    byte[] encoded = all.readNBytes(MOST_BYTES + 1);
    checkLength(name, encoded.length);
    return encoded;
  }

  static void checkLength(String name, long length) {
    if (length > MOST_BYTES) {
      throw new ImageException(
          name + " is larger than " + (MOST_BYTES >> 20) + " MB; scale it down first");
    }
  }

  public String name() {
    return name;
  }

  ImageHeader header() {
    return header;
  }
}

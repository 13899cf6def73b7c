package dev.squint.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import javax.imageio.ImageIO;

/** Makes encoded images, sound and hostile ones, byte by byte. */
final class EncodedFiles {

  private EncodedFiles() {}

  /** An image that is all noise. */
  static byte[] noise(String format, int width, int height) {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < width * height; i++) {
      image.setRGB(i % width, i / width, i * 0x9E3779B1);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image, format, out)) {
        throw new IllegalArgumentException(format);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  static byte[] join(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  static byte[] repeat(byte[] part, int times) {
    byte[] all = new byte[part.length * times];
    for (int i = 0; i < times; i++) {
      System.arraycopy(part, 0, all, i * part.length, part.length);
    }
    return all;
  }

  static byte[] png(byte[]... chunks) {
    return join(bytes(0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'), join(chunks));
  }

  static byte[] chunk(String type, byte[] content) {
    byte[] letters = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 sum = new CRC32();
    sum.update(letters);
    sum.update(content);
    return ByteBuffer.allocate(12 + content.length)
        .putInt(content.length)
        .put(letters)
        .put(content)
        .putInt((int) sum.getValue())
        .array();
  }

  static byte[] header(int width, int height, int depth, int colorType) {
    return chunk(
        "IHDR",
        ByteBuffer.allocate(13)
            .putInt(width)
            .putInt(height)
            .put(bytes(depth, colorType, 0, 0, 0))
            .array());
  }

  /** A zlib stream of rows of a PNG file that are all alike. */
  static byte[] samples(int rows, byte... row) {
    Deflater deflater = new Deflater(Deflater.BEST_SPEED);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] buffer = new byte[1 << 16];
    byte[] filtered = join(new byte[1], row);
    for (int i = 0; i < rows; i++) {
      deflater.setInput(filtered);
      while (!deflater.needsInput()) {
        out.write(buffer, 0, deflater.deflate(buffer));
      }
    }
    deflater.finish();
    while (!deflater.finished()) {
      out.write(buffer, 0, deflater.deflate(buffer));
    }
    deflater.end();
    return out.toByteArray();
  }

  /** A PNG file whose rows are all alike. */
  static byte[] png(int width, int height, int depth, int colorType, byte... row) {
    return png(
        header(width, height, depth, colorType),
        chunk("IDAT", samples(height, row)),
        chunk("IEND", new byte[0]));
  }

  /**
   * A TIFF file.
   *
   * @param samples what comes first in it, at byte 8
   * @param entries tag, type (3 for short, 4 for long), count and value of each entry
   */
  static byte[] tiff(byte[] samples, long[]... entries) {
    ByteBuffer file =
        ByteBuffer.allocate(8 + samples.length + 2 + 12 * entries.length + 4)
            .order(ByteOrder.LITTLE_ENDIAN);
    file.put(bytes('I', 'I', 42, 0)).putInt(8 + samples.length).put(samples);
    file.putShort((short) entries.length);
    for (long[] entry : entries) {
      file.putShort((short) entry[0]).putShort((short) entry[1]);
      file.putInt((int) entry[2]).putInt((int) entry[3]);
    }
    return file.array();
  }

  /** A WebP file. */
  static byte[] webp(byte[]... chunks) {
    byte[] all = join(chunks);
    return ByteBuffer.allocate(12 + all.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put("RIFF".getBytes(StandardCharsets.US_ASCII))
        .putInt(4 + all.length)
        .put("WEBP".getBytes(StandardCharsets.US_ASCII))
        .put(all)
        .array();
  }

  static byte[] riff(String type, byte[] content) {
    return ByteBuffer.allocate(8 + content.length + content.length % 2)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(type.getBytes(StandardCharsets.US_ASCII))
        .putInt(content.length)
        .put(content)
        .array();
  }

  /** Where a JPEG file has its first segment of a kind. */
  static int segment(byte[] jpeg, int marker) {
    int at = 2;
    while ((jpeg[at + 1] & 0xFF) != marker) {
      at += 2 + ((jpeg[at + 2] & 0xFF) << 8 | jpeg[at + 3] & 0xFF);
    }
    return at;
  }

  /** A file with bytes put in between. */
  static byte[] insert(byte[] file, int at, byte[] more) {
    return ByteBuffer.allocate(file.length + more.length)
        .put(file, 0, at)
        .put(more)
        .put(file, at, file.length - at)
        .array();
  }
}

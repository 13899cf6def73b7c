package dev.squint.adapters;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The header of a BMP file.
 *
 * @param width pixels a row
 * @param height rows
 * @param bits bits a pixel
 */
record Bmp(int width, int height, int bits) {

  private static final int FILE_HEADER = 14;
  private static final int OLD_HEADER = 12;
  private static final int SHORTEST = 40;
  private static final int LONGEST = 1 << 10;

  static Bmp read(String name, byte[] data) {
    if (data.length < FILE_HEADER + SHORTEST) {
      throw ImageHeader.headerDamaged(name);
    }
    ByteBuffer bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    int header = bytes.getInt(FILE_HEADER);
    if (header == OLD_HEADER) {
      int width = bytes.getShort(18) & 0xFFFF;
      int height = bytes.getShort(20) & 0xFFFF;
      ImageHeader.checkSize(name, width, height);
      return new Bmp(width, height, bytes.getShort(24) & 0xFFFF);
    }
    int width = bytes.getInt(18);
    int height = bytes.getInt(22);
    if (header < SHORTEST || header > LONGEST || width < 0 || height == Integer.MIN_VALUE) {
      throw ImageHeader.headerDamaged(name);
    }
    ImageHeader.checkSize(name, width, Math.abs(height));
    int compression = bytes.getInt(30);
    if (compression == 4 || compression == 5) {
      throw new ImageException(name + " is a BMP file around a JPEG or PNG; give that file itself");
    }
    return new Bmp(width, Math.abs(height), bytes.getShort(28) & 0xFFFF);
  }
}

package dev.squint.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The header of a BMP file.
 *
 * @param width pixels a row
 * @param height rows
 * @param fields how pixels of 16 or 32 bits are parted, if they have so many
 */
record Bmp(int width, int height, Optional<BmpFields> fields) {

  private static final int FILE_HEADER = 14;
  private static final int OLD_HEADER = 12;
  private static final int SHORTEST = 40;
  private static final int LONGEST = 1 << 10;
  private static final int WITH_ALPHA = 56;
  private static final int FIELDS = 3;
  private static final int ALPHA_FIELDS = 6;
  private static final int[] OF_16 = {0x7C00, 0x3E0, 0x1F, 0};
  private static final int[] OF_32 = {0xFF0000, 0xFF00, 0xFF, 0};

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
      return new Bmp(width, height, Optional.empty());
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
    int bits = bytes.getShort(28) & 0xFFFF;
    boolean named = compression == FIELDS || compression == ALPHA_FIELDS;
    if (bits != 16 && bits != 32 || compression != 0 && !named) {
      return new Bmp(width, Math.abs(height), Optional.empty());
    }
    int[] masks = bits == 16 ? OF_16 : OF_32;
    if (named) {
      boolean alpha = header >= WITH_ALPHA || compression == ALPHA_FIELDS;
      int first = FILE_HEADER + SHORTEST;
      if (data.length < first + (alpha ? 16 : 12)) {
        throw ImageHeader.headerDamaged(name);
      }
      masks =
          new int[] {
            bytes.getInt(first),
            bytes.getInt(first + 4),
            bytes.getInt(first + 8),
            alpha ? bytes.getInt(first + 12) : 0
          };
    }
    long start = Integer.toUnsignedLong(bytes.getInt(10));
    return new Bmp(
        width,
        Math.abs(height),
        Optional.of(BmpFields.checked(name, data, width, height, bits, start, masks)));
  }
}

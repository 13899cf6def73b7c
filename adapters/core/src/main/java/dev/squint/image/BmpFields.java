package dev.squint.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.opencv.core.CvType;
import org.opencv.core.Mat;

/**
 * Pixels of a BMP file of 16 or 32 bits, parted by bit masks. OpenCV takes bits that belong to no
 * mask for alpha, drops the lowest bits of narrow masks, and does not know the later headers. A
 * file whose alpha is 0 everywhere is one that never meant any, as viewers see it.
 *
 * @param data the file
 * @param width pixels a row
 * @param height rows, negative if the first is the topmost
 * @param bits bits a pixel
 * @param start where the rows begin
 * @param masks of red, green, blue and alpha, 0 for none
 */
record BmpFields(byte[] data, int width, int height, int bits, int start, int[] masks)
    implements PixelDecoder {

  static BmpFields checked(
      String name, byte[] data, int width, int height, int bits, long start, int[] masks) {
    long rowBytes = stride(width, bits);
    if (start > data.length || start + rowBytes * Math.abs(height) > data.length) {
      throw ImageHeader.pixelsDamaged(name);
    }
    for (int mask : masks) {
      int ones = mask == 0 ? 0 : mask >>> Integer.numberOfTrailingZeros(mask);
      if ((ones & ones + 1) != 0 || bits == 16 && mask >>> 16 != 0) {
        throw ImageHeader.headerDamaged(name);
      }
    }
    return new BmpFields(data, width, height, bits, (int) start, masks);
  }

  private static long stride(int width, int bits) {
    return ((long) width * bits + 31) / 32 * 4;
  }

  @Override
  public Mat decode(String name) {
    int channels = hasAlpha() ? 4 : 3;
    int rows = Math.abs(height);
    byte[] row = new byte[channels * width];
    ByteBuffer bytes = bytes();
    Mat target = new Mat(rows, width, CvType.CV_8UC(channels));
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < width; x++) {
        int pixel = pixel(bytes, x, y);
        for (int channel = 0; channel < channels; channel++) {
          int mask = masks[channel == 3 ? 3 : 2 - channel];
          row[channels * x + channel] = (byte) sample(pixel, mask);
        }
      }
      target.put(height < 0 ? y : rows - 1 - y, 0, row);
    }
    return target;
  }

  private ByteBuffer bytes() {
    return ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
  }

  private boolean hasAlpha() {
    ByteBuffer bytes = bytes();
    for (int y = 0; masks[3] != 0 && y < Math.abs(height); y++) {
      for (int x = 0; x < width; x++) {
        if ((pixel(bytes, x, y) & masks[3]) != 0) {
          return true;
        }
      }
    }
    return false;
  }

  private int pixel(ByteBuffer bytes, int x, int y) {
    int at = start + (int) (y * stride(width, bits)) + x * bits / 8;
    return bits == 16 ? bytes.getShort(at) & 0xFFFF : bytes.getInt(at);
  }

  private static int sample(int pixel, int mask) {
    if (mask == 0) {
      return 0;
    }
    int shift = Integer.numberOfTrailingZeros(mask);
    long most = Integer.toUnsignedLong(mask >>> shift);
    return (int) (Integer.toUnsignedLong((pixel & mask) >>> shift) * 255 / most);
  }
}

package dev.squint.adapters;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/**
 * What the chunks of a PNG file say before any pixel is decoded. Checksums are looked at here
 * because the native decoder would print to standard error about them.
 *
 * @param width pixels a row, 0 if the header is cut off
 * @param height rows
 * @param whole whether the end marker is there; what follows it does not matter
 * @param sound whether the checksums of all chunks that matter are right
 * @param transparent whether pixels can be transparent
 * @param camera where the block of camera notes begins, 0 if there is none
 */
record PngChunks(
    int width, int height, boolean whole, boolean sound, boolean transparent, int camera) {

  private static final int SIGNATURE = 8;
  private static final int AROUND = 12;
  private static final int HEADER_END = SIGNATURE + AROUND + 13;
  private static final int COLOR_TYPE = 25;
  private static final int ALPHA = 4;
  private static final int ANCILLARY = 0x20;

  static PngChunks read(byte[] data) {
    if (data.length < HEADER_END) {
      return new PngChunks(0, 0, false, true, false, 0);
    }
    ByteBuffer bytes = ByteBuffer.wrap(data);
    boolean whole = false;
    boolean sound = true;
    boolean transparent = (data[COLOR_TYPE] & ALPHA) != 0;
    int camera = 0;
    int at = SIGNATURE;
    while (!whole && at <= data.length - AROUND) {
      int length = bytes.getInt(at);
      if (length < 0 || length > data.length - AROUND - at) {
        break;
      }
      String type = new String(data, at + 4, 4, StandardCharsets.ISO_8859_1);
      boolean needed = (data[at + 4] & ANCILLARY) == 0;
      sound &= !needed || checksum(data, at + 4, length + 4) == bytes.getInt(at + 8 + length);
      transparent |= type.equals("tRNS");
      whole = type.equals("IEND");
      if (type.equals("eXIf")) {
        camera = at + 8;
      }
      at += AROUND + length;
    }
    return new PngChunks(bytes.getInt(16), bytes.getInt(20), whole, sound, transparent, camera);
  }

  private static int checksum(byte[] data, int from, int length) {
    CRC32 crc = new CRC32();
    crc.update(data, from, length);
    return (int) crc.getValue();
  }
}

package dev.squint.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * A PNG file, checked and reduced to what its pixels need: header, palette, transparency, one block
 * of compressed samples. What else a file holds the native decoder never sees: it would print to
 * standard error about it, or take its size from a second header, which was not checked.
 *
 * @param header size and kind of its pixels
 * @param orientation how the camera was held
 * @param decoder decodes what is left
 */
record Png(PngHeader header, Orientation orientation, NativeDecoder decoder) {

  private static final int SIGNATURE = 8;
  private static final int AROUND = 12;
  private static final int ANCILLARY = 0x20;
  private static final int HEADER = type("IHDR");
  private static final int PALETTE = type("PLTE");
  private static final int TRANSPARENCY = type("tRNS");
  private static final int SAMPLES = type("IDAT");
  private static final int END = type("IEND");
  private static final int CAMERA = type("eXIf");
  private static final int TEXT = type("iTXt");
  private static final byte[] XMP = "XML:com.adobe.xmp\0\0".getBytes(StandardCharsets.US_ASCII);

  /**
   * Reads one in a single pass over its chunks and one over its compressed samples.
   *
   * @param data the file; its blocks of samples are moved together in place
   */
  static Png read(String name, byte[] data) {
    ByteBuffer bytes = ByteBuffer.wrap(data);
    int first = SIGNATURE + AROUND + PngHeader.LENGTH;
    if (data.length < first) {
      throw ImageHeader.withoutEnd(name);
    }
    if (bytes.getInt(SIGNATURE) != PngHeader.LENGTH || bytes.getInt(SIGNATURE + 4) != HEADER) {
      throw ImageHeader.headerDamaged(name);
    }
    PngHeader header = PngHeader.read(name, data, SIGNATURE + 8);
    Chunks chunks = new Chunks(data, header);
    chunks.checkSum(SIGNATURE, PngHeader.LENGTH);
    boolean whole = false;
    for (int at = first; !whole && at <= data.length - AROUND; ) {
      int length = bytes.getInt(at);
      if (length < 0 || length > data.length - AROUND - at) {
        break;
      }
      int type = bytes.getInt(at + 4);
      whole = type == END;
      chunks.take(type, at, length);
      at += AROUND + length;
    }
    if (!whole) {
      throw ImageHeader.withoutEnd(name);
    }
    return chunks.reduced(name);
  }

  private static int type(String letters) {
    return ByteBuffer.wrap(letters.getBytes(StandardCharsets.US_ASCII)).getInt();
  }

  private static byte[] chunk(int type, byte[] content) {
    ByteBuffer chunk = ByteBuffer.allocate(AROUND + content.length);
    chunk.putInt(content.length).putInt(type).put(content);
    CRC32 sum = new CRC32();
    sum.update(chunk.array(), 4, 4 + content.length);
    return chunk.putInt((int) sum.getValue()).array();
  }

  /** What the chunks of one file hold so far. */
  private static final class Chunks {

    private final byte[] data;
    private final PngHeader header;
    private byte[] palette = {};
    private byte[] transparency = {};
    private CameraNotes camera = CameraNotes.NONE;
    private int start;
    private int end;
    private boolean sound = true;
    private boolean samplesOver;

    Chunks(byte[] data, PngHeader header) {
      this.data = data;
      this.header = header;
    }

    void take(int type, int at, int length) {
      boolean needed = (data[at + 4] & ANCILLARY) == 0;
      if (needed) {
        checkSum(at, length);
      }
      samplesOver |= start > 0 && type != SAMPLES;
      if (type == SAMPLES) {
        samples(at + 8, length);
      } else if (type == PALETTE) {
        palette(at + 8, length);
      } else if (type == TRANSPARENCY) {
        transparency(at, length);
      } else if (type == CAMERA) {
        camera = camera.withExif(at + 8);
      } else if (type == TEXT) {
        text(at + 8, length);
      } else {
        sound &= !needed || type == END;
      }
    }

    /** XMP is a text of that name that is not compressed. */
    private void text(int from, int length) {
      if (!camera.hasXmp()
          && length > XMP.length
          && Arrays.equals(data, from, from + XMP.length, XMP, 0, XMP.length)) {
        camera = camera.withXmp(from + XMP.length, from + length);
      }
    }

    void checkSum(int at, int length) {
      sound &= isSound(at, length);
    }

    private boolean isSound(int at, int length) {
      CRC32 sum = new CRC32();
      sum.update(data, at + 4, length + 4);
      return (int) sum.getValue() == ByteBuffer.wrap(data).getInt(at + 8 + length);
    }

    /** Samples go on after the ones before; where other chunks came between, they mean nothing. */
    private void samples(int from, int length) {
      if (samplesOver) {
        return;
      }
      if (start == 0) {
        start = from;
        end = from;
      }
      System.arraycopy(data, from, data, end, length);
      end += length;
    }

    private void palette(int from, int length) {
      if (header.indexed()) {
        sound &= palette.length == 0 && start == 0 && length > 0 && length % 3 == 0;
        palette = Arrays.copyOfRange(data, from, from + Math.min(length, 3 * header.colors()));
      }
    }

    private void transparency(int at, int length) {
      if (transparency.length == 0 && start == 0 && length <= header.colors() + 6) {
        byte[] content = Arrays.copyOfRange(data, at + 8, at + 8 + length);
        if (header.takesTransparency(content, palette.length / 3) && isSound(at, length)) {
          transparency = content;
        }
      }
    }

    private int clear() {
      return (transparency[0] & 0xFF) << 8 | transparency[1] & 0xFF;
    }

    /**
     * Writes gray samples as indices of grays: the native decoder passes over the transparency of
     * gray ones.
     */
    private void indexed(ByteArrayOutputStream head) {
      byte[] content = Arrays.copyOfRange(data, SIGNATURE + 8, SIGNATURE + 8 + PngHeader.LENGTH);
      content[PngHeader.COLOR_TYPE_AT] = PngHeader.INDEXED;
      head.writeBytes(chunk(HEADER, content));
      byte[] grays = new byte[3 * header.colors()];
      for (int i = 0; i < grays.length; i++) {
        grays[i] = (byte) (i / 3 * 255 / (header.colors() - 1));
      }
      head.writeBytes(chunk(PALETTE, grays));
      byte[] opacity = new byte[clear() + 1];
      Arrays.fill(opacity, (byte) 255);
      opacity[clear()] = 0;
      head.writeBytes(chunk(TRANSPARENCY, opacity));
    }

    Png reduced(String name) {
      if (!sound || start == 0 || header.indexed() && palette.length == 0) {
        throw ImageHeader.pixelsDamaged(name);
      }
      int length = header.checkSamples(name, data, start, end - start);
      // Says that the block may refer back as far as can be, which the decoder cares about.
      data[start] = 0x78;
      data[start + 1] = 0x01;
      ByteArrayOutputStream head = new ByteArrayOutputStream();
      boolean clearGray = header.gray() && transparency.length > 0;
      if (clearGray && header.depth() <= 8) {
        head.write(data, 0, SIGNATURE);
        indexed(head);
      } else {
        head.write(data, 0, SIGNATURE + AROUND + PngHeader.LENGTH);
        if (header.indexed()) {
          // An index without a colour is black, and the decoder prints about it.
          head.writeBytes(chunk(PALETTE, Arrays.copyOf(palette, 3 * header.colors())));
        }
        if (transparency.length > 0 && !clearGray) {
          head.writeBytes(chunk(TRANSPARENCY, transparency));
        }
      }
      ByteBuffer block = ByteBuffer.allocate(8).putInt(length).putInt(SAMPLES);
      head.writeBytes(block.array());
      CRC32 sum = new CRC32();
      sum.update(block.array(), 4, 4);
      sum.update(data, start, length);
      byte[] last = chunk(END, new byte[0]);
      ByteBuffer tail = ByteBuffer.allocate(4 + last.length);
      tail.putInt((int) sum.getValue()).put(last);
      return new Png(
          header,
          camera.orientation(data),
          new NativeDecoder(
              new EncodedImage(head.toByteArray(), data, start, length, tail.array()),
              header.alpha() || transparency.length > 0,
              clearGray && header.depth() > 8 ? clear() : -1));
    }
  }
}

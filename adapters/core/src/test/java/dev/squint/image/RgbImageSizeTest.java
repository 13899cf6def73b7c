package dev.squint.image;

import static dev.squint.image.EncodedFiles.bytes;
import static dev.squint.image.EncodedFiles.chunk;
import static dev.squint.image.EncodedFiles.header;
import static dev.squint.image.EncodedFiles.insert;
import static dev.squint.image.EncodedFiles.noise;
import static dev.squint.image.EncodedFiles.png;
import static dev.squint.image.EncodedFiles.riff;
import static dev.squint.image.EncodedFiles.samples;
import static dev.squint.image.EncodedFiles.segment;
import static dev.squint.image.EncodedFiles.tiff;
import static dev.squint.image.EncodedFiles.webp;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.fixtures.TestCache;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The size that is checked is the one that is decoded, whatever else a file says about it. */
class RgbImageSizeTest {

  private static final String HEADER =
      "the given input is damaged or cut off: its header cannot be read";
  private static final String PIXELS =
      "the given input is damaged or cut off: its pixels cannot be decoded";
  private static final byte[] END = chunk("IEND", new byte[0]);
  private static final byte[] ROWS = chunk("IDAT", samples(10, new byte[10]));
  private static final byte[] LARGE = header(30_000, 30_000, 8, 0);
  private static final byte[] SMALL = header(10, 10, 8, 0);

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  private static void assertRefused(byte[] file, String message) {
    assertThatThrownBy(() -> ImageInput.of(file))
        .isInstanceOf(ImageException.class)
        .hasMessage(message);
  }

  private static void assertTooLarge(byte[] file) {
    assertThatThrownBy(() -> ImageInput.of(file))
        .isInstanceOf(ImageException.class)
        .hasMessage(
            "the given input is 30000x30000 pixels, more than 100 megapixels; scale it down first");
  }

  private static RgbImage decode(byte[] file) {
    return RgbImage.decode(ImageInput.of(file));
  }

  @Test
  void theHeaderOfAPngComesFirstAndOnce() {
    byte[] filler = chunk("fiLl", new byte[20]);
    assertThat(decode(png(SMALL, filler, ROWS, END)).width()).isEqualTo(10);
    assertTooLarge(png(LARGE, ROWS, END));
    assertRefused(png(filler, LARGE, ROWS, END), HEADER);
    assertRefused(png(ROWS, SMALL, END), HEADER);
    assertRefused(png(SMALL, LARGE, ROWS, END), PIXELS);
    assertRefused(png(SMALL, ROWS, LARGE, END), PIXELS);
    byte[] longer = chunk("IHDR", Arrays.copyOfRange(SMALL, 8, 22));
    assertRefused(png(longer, ROWS, END), HEADER);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
  void sidesThatAreNoneAreRefused(int side) {
    assertRefused(png(header(side, 10, 8, 0), ROWS, END), HEADER);
    assertRefused(png(header(10, side, 8, 0), ROWS, END), HEADER);
  }

  @Test
  void aJpegHasOneFrame() {
    byte[] jpeg = noise("jpg", 40, 30);
    int frame = segment(jpeg, 0xC0);
    byte[] large = Arrays.copyOfRange(jpeg, frame, frame + 19);
    ByteBuffer.wrap(large).putShort(5, (short) 30_000).putShort(7, (short) 30_000);
    assertRefused(insert(jpeg, frame + 19, large), HEADER);
    assertTooLarge(insert(jpeg, frame, large));
    assertRefused(insert(jpeg, jpeg.length - 2, large), HEADER);
    byte[] inNotes = insert(bytes(0xFF, 0xE5, 0, 2 + large.length), 4, large);
    assertThat(decode(insert(jpeg, 2, inNotes)).rgb()).isEqualTo(decode(jpeg).rgb());
  }

  @Test
  void aFrameWhoseHeightComesLaterIsRefused() {
    byte[] jpeg = noise("jpg", 40, 30);
    ByteBuffer.wrap(jpeg).putShort(segment(jpeg, 0xC0) + 5, (short) 0);
    byte[] number = bytes(0xFF, 0xDC, 0, 4, 0, 30);
    assertThatThrownBy(() -> ImageInput.of(insert(jpeg, jpeg.length - 2, number)))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("is 40x0 pixels");
  }

  @Test
  void rareKindsOfJpegAreRefusedByName() {
    for (int marker : new int[] {0xC3, 0xC9, 0xCA}) {
      byte[] jpeg = noise("jpg", 40, 30);
      jpeg[segment(jpeg, 0xC0) + 1] = (byte) marker;
      assertThatThrownBy(() -> ImageInput.of(jpeg))
          .isInstanceOf(ImageException.class)
          .hasMessageContaining("is a JPEG of a rare kind");
    }
  }

  private static long[][] entries(long... more) {
    long[][] entries = {
      {256, 4, 1, 64},
      {257, 4, 1, 64},
      {258, 3, 1, 8},
      {259, 3, 1, 1},
      {262, 3, 1, 1},
      {273, 4, 1, 8},
      {277, 3, 1, 1},
      {278, 4, 1, 64},
      {279, 4, 1, 64 * 64}
    };
    for (int i = 0; i < more.length; i += 4) {
      long[] entry = Arrays.copyOfRange(more, i, i + 4);
      int at = 0;
      while (at < entries.length && entries[at][0] != entry[0]) {
        at++;
      }
      entries = Arrays.copyOf(entries, Math.max(entries.length, at + 1));
      entries[at] = entry;
    }
    return entries;
  }

  @Test
  void aTagOfATiffIsThereOnce() {
    byte[] pixels = new byte[64 * 64];
    assertThat(decode(tiff(pixels, entries())).width()).isEqualTo(64);
    assertTooLarge(tiff(pixels, entries(256, 4, 1, 30_000, 257, 4, 1, 30_000)));
    for (long tag : new long[] {256, 257, 258, 277, 278, 700}) {
      long[][] twice = Arrays.copyOf(entries(700, 4, 1, 1), 11);
      twice[10] = new long[] {tag, 4, 1, 30_000};
      assertRefused(tiff(pixels, twice), HEADER);
    }
  }

  @Test
  void whatATiffSaysOfItsBlocksHasToFit() {
    byte[] pixels = new byte[64 * 64];
    assertRefused(tiff(pixels, entries(256, 4, 2, 8)), HEADER);
    assertRefused(tiff(pixels, entries(256, 5, 1, 64)), HEADER);
    assertRefused(tiff(pixels, entries(277, 3, 1, 60_000)), HEADER);
    assertRefused(tiff(pixels, entries(258, 3, 1, 6_000)), HEADER);
    assertRefused(tiff(pixels, entries(278, 4, 1, 1)), HEADER);
    assertRefused(tiff(pixels, entries(279, 4, 1, 1 << 29)), PIXELS);
    assertRefused(tiff(pixels, entries(273, 4, 1, 0xFFFF_FFFFL)), PIXELS);
    assertRefused(tiff(pixels, entries(273, 4, 0xFFFF_FFFFL, 8)), HEADER);
    long[][] tiled =
        entries(322, 4, 1, 60_000, 323, 4, 1, 60_000, 324, 4, 1, 8, 325, 4, 1, 64 * 64);
    assertRefused(tiff(pixels, tiled), HEADER);
    byte[] deep =
        tiff(pixels, entries(256, 4, 1, 9_000, 257, 4, 1, 9_000, 258, 3, 1, 64, 277, 3, 1, 4));
    assertThatThrownBy(() -> ImageInput.of(deep))
        .isInstanceOf(ImageException.class)
        .hasMessage(
            "the given input is 9000x9000 pixels of 32 bytes, more than 800 MB; scale it down first");
  }

  @Test
  void aDirectoryThatIsNotThereIsRefused() {
    for (int first : new int[] {-1, Integer.MAX_VALUE, 1 << 20, 0}) {
      byte[] file = tiff(new byte[64 * 64], entries());
      ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(4, first);
      assertThatThrownBy(() -> ImageInput.of(file)).isInstanceOf(ImageException.class);
    }
  }

  private static byte[] canvas(int width, int height) {
    ByteBuffer canvas = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
    canvas.putInt(0).putInt(4, width - 1).putInt(6, canvas.getShort(6) & 0xFF | height - 1 << 8);
    return riff("VP8X", canvas.array());
  }

  @Test
  void theFrameOfAWebPIsAsLargeAsItsCanvas() throws IOException {
    byte[] file;
    try (InputStream in = RgbImageSizeTest.class.getResourceAsStream("turned.webp")) {
      file = in.readAllBytes();
    }
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    byte[] frame = Arrays.copyOfRange(file, 30, 30 + 8 + bytes.getInt(34));
    assertThat(decode(webp(canvas(30, 20), frame)).width()).isEqualTo(30);
    assertRefused(webp(canvas(31, 20), frame), HEADER);
    assertRefused(webp(canvas(30, 20), frame, frame), HEADER);
    assertRefused(webp(canvas(30, 20), riff("ABCD", new byte[40])), HEADER);
    assertTooLarge(webp(canvas(30_000, 30_000), frame));
  }

  @Test
  void bothHeadersOfABmpAreRead() {
    byte[] bmp = noise("bmp", 40, 30);
    ByteBuffer bytes = ByteBuffer.wrap(bmp).order(ByteOrder.LITTLE_ENDIAN);
    byte[] upright = decode(bmp).rgb();
    bytes.putInt(22, -30);
    assertThat(decode(bmp).rgb()).isNotEqualTo(upright).hasSameSizeAs(upright);
    bytes.putInt(22, Integer.MIN_VALUE);
    assertRefused(bmp, HEADER);
    bytes.putInt(18, 30_000).putInt(22, -30_000);
    assertTooLarge(bmp);
    bytes.putInt(18, -40).putInt(22, 30);
    assertRefused(bmp, HEADER);
    bytes.putInt(18, 40).putInt(30, 5);
    assertRefused(bmp, "the given input is a BMP file around a JPEG or PNG; give that file itself");
    bytes.putInt(30, 0).putInt(14, 12).putShort(18, (short) 30_000).putShort(20, (short) 30_000);
    assertTooLarge(bmp);
  }
}

package dev.squint.image;

import static dev.squint.image.EncodedFiles.bytes;
import static dev.squint.image.EncodedFiles.join;
import static dev.squint.image.EncodedFiles.noise;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.fixtures.TestCache;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Damaged files of the formats that are decoded here. */
class GifAndPnmTest {

  private static final String HEADER = " is damaged or cut off: its header cannot be read";
  private static final String PIXELS = " is damaged or cut off: its pixels cannot be decoded";
  private static final String END = " is damaged or cut off: its end is missing";

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  private static void assertRefused(byte[] file, String message) {
    assertThatThrownBy(() -> RgbImage.decode(ImageInput.of(file)))
        .isInstanceOf(ImageException.class)
        .hasMessage("the given input" + message);
  }

  private static byte[] gif(int width, int height, int frameWidth, int frameHeight, int... rest) {
    ByteBuffer file = ByteBuffer.allocate(23).order(ByteOrder.LITTLE_ENDIAN);
    file.put("GIF89a".getBytes(US_ASCII)).putShort((short) width).putShort((short) height);
    file.put(new byte[3]).put((byte) 0x2C).putInt(0);
    file.putShort((short) frameWidth).putShort((short) frameHeight).put((byte) 0);
    return join(file.array(), bytes(rest));
  }

  @Test
  void everyCutOfAGifIsRefused() {
    byte[] whole = noise("gif", 30, 20);
    for (int length = 17; length < whole.length - 40; length += 7) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> RgbImage.decode(ImageInput.of(cut)))
          .isInstanceOf(ImageException.class)
          .hasMessageContaining("is damaged or cut off");
    }
  }

  @Test
  void theSizeOfAGifIsThatOfScreenAndFrame() {
    String large = " is 30000x30000 pixels, more than 100 megapixels; scale it down first";
    assertRefused(gif(30_000, 30_000, 10, 10, 2, 0), large);
    assertRefused(gif(10, 10, 30_000, 30_000, 2, 0), large);
    assertRefused(gif(10, 10, 0, 10, 2, 0), HEADER);
    assertRefused(
        gif(4, 4, 4, 4, 2, 0), " is 4x4 pixels; give an image of at least 8 pixels a side");
  }

  @Test
  void aGifThatLacksPixelsIsRefused() {
    assertRefused(gif(10, 10, 10, 10, 2, 1, 0x44, 0), PIXELS);
    assertRefused(gif(10, 10, 10, 10, 2, 0), PIXELS);
    assertRefused(gif(10, 10, 10, 10, 2, 1, 0x3C, 0), PIXELS);
    assertRefused(gif(10, 10, 10, 10, 9, 0), HEADER);
    assertRefused(gif(10, 10, 10, 10, 0, 0), HEADER);
    assertRefused(gif(10, 10, 10, 10), END);
    byte[] none = "GIF89a\12\0\12\0\0\0\0;  ".getBytes(US_ASCII);
    assertRefused(none, " is a GIF file without an image; give another file");
    assertRefused("GIF88a0000000000000".getBytes(US_ASCII), HEADER);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "P5 10 10 255 1234|" + END,
        "P6 10 10 255 1234|" + END,
        "P4 10 10 1234|" + END,
        "P2 10 10 255 1 2 3|" + END,
        "P1 10 10 1 0 1|" + END,
        "P1 10 10 1 0 2|" + PIXELS,
        "P2 10 10 9 10 10 10|" + PIXELS,
        "P2 10 10 255 1 2 x|" + HEADER,
        "P5 10 10 0 1234|" + HEADER,
        "P5 10 10 65536 1234|" + HEADER,
        "P5 10 ten 255 1234|" + HEADER,
        "P5 10 10x 255 1234|" + HEADER,
        "P5 99999999999 10 255 1234|" + HEADER,
        "P5 -10 10 255 1234|" + HEADER,
        "P5 #10 10 255 12345|" + END,
        "P5 30000 30000 255 1|' is 30000x30000 pixels, more than 100 megapixels; scale it down first'",
        "P3 0 10 255 1 2 3 4|' is 0x10 pixels; give an image of at least 8 pixels a side'"
      })
  void damagedPnms(String file, String message) {
    assertRefused(file.getBytes(US_ASCII), message);
  }

  @Test
  void aTextThatBeginsLikeAPnmIsNone() {
    assertThatThrownBy(() -> ImageInput.of("P5000 is the model of it".getBytes(US_ASCII)))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("is not an image");
    assertThat(Pnm.starts("P7 10 10".getBytes(US_ASCII))).isFalse();
  }
}

package dev.squint.image;

import static dev.squint.image.EncodedFiles.bytes;
import static dev.squint.image.EncodedFiles.chunk;
import static dev.squint.image.EncodedFiles.header;
import static dev.squint.image.EncodedFiles.join;
import static dev.squint.image.EncodedFiles.noise;
import static dev.squint.image.EncodedFiles.png;
import static dev.squint.image.EncodedFiles.repeat;
import static dev.squint.image.EncodedFiles.samples;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.fixtures.TestCache;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a PNG file is reduced to shows the same pixels, and what cannot be shown is refused. */
class PngTest {

  private static final byte[] END = chunk("IEND", new byte[0]);
  private static final byte[] ROW = bytes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  private static RgbImage decode(byte[] file) {
    return RgbImage.decode(ImageInput.of(file));
  }

  private static void assertDamaged(byte[] file) {
    assertThatThrownBy(() -> ImageInput.of(file))
        .isInstanceOf(ImageException.class)
        .hasMessage("the given input is damaged or cut off: its pixels cannot be decoded");
  }

  private static byte[] grey(byte[]... after) {
    return png(header(10, 10, 8, 0), join(after), END);
  }

  @Test
  void blocksOfSamplesGoTogether() {
    byte[] whole = noise("png", 50, 40);
    int length = ByteBuffer.wrap(whole).getInt(33);
    byte[] stream = Arrays.copyOfRange(whole, 41, 41 + length);
    byte[] header = Arrays.copyOfRange(whole, 8, 33);
    byte[] blocks = {};
    for (int i = 0; i < length; i += 7) {
      byte[] block = Arrays.copyOfRange(stream, i, Math.min(length, i + 7));
      blocks = join(blocks, chunk("IDAT", block), chunk("IDAT", new byte[0]));
    }
    assertThat(decode(png(header, blocks, END)).rgb()).isEqualTo(decode(whole).rgb());
  }

  @Test
  void whatIsNotNeededIsLeftOut() {
    byte[] stream = samples(10, ROW);
    byte[] pixels = decode(grey(chunk("IDAT", stream))).rgb();
    byte[] after = chunk("IDAT", join(stream, new byte[30]));
    byte[] twice = join(chunk("IDAT", stream), chunk("tEXt", new byte[9]), chunk("IDAT", stream));
    byte[] wrong = join(chunk("iCCP", new byte[3]), chunk("tRNS", new byte[9]));
    assertThat(decode(grey(after)).rgb()).isEqualTo(pixels);
    assertThat(decode(grey(twice)).rgb()).isEqualTo(pixels);
    assertThat(decode(grey(wrong, chunk("IDAT", stream))).rgb()).isEqualTo(pixels);
  }

  @Test
  void anIndexWithoutAColourIsBlack() {
    byte[] palette = chunk("PLTE", bytes(9, 8, 7, 6, 5, 4));
    RgbImage image =
        decode(png(header(10, 10, 8, 3), palette, chunk("IDAT", samples(10, ROW)), END));
    assertThat(Arrays.copyOf(image.rgb(), 9)).containsExactly(9, 8, 7, 6, 5, 4, 0, 0, 0);
  }

  @Test
  void aSmallWindowMayBeWrong() {
    byte[] whole = noise("png", 50, 40);
    int length = ByteBuffer.wrap(whole).getInt(33);
    byte[] stream = Arrays.copyOfRange(whole, 41, 41 + length);
    stream[0] = 0x18;
    stream[1] = 0x19;
    byte[] small = png(Arrays.copyOfRange(whole, 8, 33), chunk("IDAT", stream), END);
    assertThat(decode(small).rgb()).isEqualTo(decode(whole).rgb());
  }

  @Test
  void samplesThatAreWrongAreRefused() {
    byte[] stream = samples(10, ROW);
    assertDamaged(grey(chunk("IDAT", samples(9, ROW))));
    assertDamaged(grey(chunk("IDAT", samples(11, ROW))));
    assertDamaged(grey(chunk("IDAT", Arrays.copyOf(stream, stream.length - 1))));
    byte[] wrongSum = stream.clone();
    wrongSum[stream.length - 1] ^= 1;
    assertDamaged(grey(chunk("IDAT", wrongSum)));
    assertDamaged(grey(chunk("IDAT", samples(5, join(ROW, bytes(5), ROW)))));
    assertDamaged(grey(chunk("IDAT", new byte[0])));
    assertDamaged(grey(chunk("ABCD", new byte[0]), chunk("IDAT", stream)));
    assertDamaged(grey());
    assertDamaged(png(header(10, 10, 8, 3), chunk("IDAT", stream), END));
  }

  @Test
  void kindsThatThereAreNotAreRefused() {
    int[][] kinds = {{3, 0}, {16, 3}, {4, 2}, {8, 1}, {8, 5}, {8, 7}, {0, 0}, {32, 2}};
    for (int[] kind : kinds) {
      byte[] file = png(header(10, 10, kind[0], kind[1]), chunk("IDAT", samples(10, ROW)), END);
      assertThatThrownBy(() -> ImageInput.of(file))
          .isInstanceOf(ImageException.class)
          .hasMessage("the given input is damaged or cut off: its header cannot be read");
    }
  }

  @Test
  void everyDepthIsMeasuredRight() {
    int[][] kinds = {
      {1, 0}, {2, 0}, {4, 0}, {8, 0}, {16, 0}, {8, 2}, {16, 2}, {8, 4}, {16, 4}, {8, 6}, {16, 6}
    };
    int[] channels = {1, 0, 3, 0, 2, 0, 4};
    for (int[] kind : kinds) {
      int bits = 11 * kind[0] * channels[kind[1]];
      byte[] row = repeat(bytes(0xFF), (bits + 7) / 8);
      assertThat(decode(png(11, 9, kind[0], kind[1], row)).rgb()).containsOnly(255);
    }
  }
}

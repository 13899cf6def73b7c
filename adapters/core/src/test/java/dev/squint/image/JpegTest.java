package dev.squint.image;

import static dev.squint.image.EncodedFiles.bytes;
import static dev.squint.image.EncodedFiles.insert;
import static dev.squint.image.EncodedFiles.noise;
import static dev.squint.image.EncodedFiles.repeat;
import static dev.squint.image.EncodedFiles.segment;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.fixtures.TestCache;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Slips that cost no pixel are passed over in silence, lost pixels are not. */
class JpegTest {

  private static final byte[] WHOLE = noise("jpg", 50, 40);

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  private static RgbImage decode(byte[] file) {
    return RgbImage.decode(ImageInput.of(file));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 100, 5000})
  void paddingBeforeTheEndIsPassedOver(int length) {
    byte[] padded = insert(WHOLE, WHOLE.length - 2, new byte[length]);
    assertThat(decode(padded).rgb()).isEqualTo(decode(WHOLE).rgb());
  }

  @Test
  void aPaddedImageIsTurnedUprightToo() {
    byte[] notes =
        insert(
            bytes(0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0),
            10,
            bytes(
                'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0,
                0));
    byte[] turned = insert(WHOLE, 2, notes);
    RgbImage expected = decode(turned);
    RgbImage image = decode(insert(turned, turned.length - 2, new byte[100]));
    assertThat(expected.width()).isEqualTo(40);
    assertThat(image.width()).isEqualTo(40);
    assertThat(image.rgb()).isEqualTo(expected.rgb());
  }

  @Test
  void harmlessSlipsAreMended() {
    byte[] version = WHOLE.clone();
    version[segment(version, 0xE0) + 9] = 77;
    byte[] range = WHOLE.clone();
    int scan = segment(range, 0xDA);
    range[scan + 11] = 3;
    range[scan + 12] = 4;
    byte[] adobe = "..Adobe......".getBytes(StandardCharsets.US_ASCII);
    adobe[1] = (byte) (adobe.length + 1);
    adobe[0] = 0;
    byte[] transform = insert(WHOLE, segment(WHOLE, 0xDB), insert(bytes(0xFF, 0xEE, 9), 2, adobe));
    byte[] profile =
        insert(
            WHOLE,
            segment(WHOLE, 0xDB),
            insert(
                bytes(0xFF, 0xE2, 0, 16),
                4,
                "ICC_PROFILE\0\7\1".getBytes(StandardCharsets.US_ASCII)));
    for (byte[] file : new byte[][] {version, range, transform, profile}) {
      assertThat(decode(file).rgb()).isEqualTo(decode(WHOLE).rgb());
    }
  }

  @Test
  void lostPixelsAreNot() {
    int scan = segment(WHOLE, 0xDA) + 14;
    int middle = (scan + WHOLE.length) / 2;
    byte[] cut = insert(Arrays.copyOf(WHOLE, middle), middle, bytes(0xFF, 0xD9));
    byte[] hole = WHOLE.clone();
    Arrays.fill(hole, middle, middle + 40, (byte) 0x11);
    byte[] restart = insert(WHOLE, middle, bytes(0xFF, 0xD3));
    for (byte[] file : new byte[][] {cut, hole, restart}) {
      assertThatThrownBy(() -> ImageInput.of(file))
          .isInstanceOf(ImageException.class)
          .hasMessage("the given input is damaged or cut off: its pixels cannot be decoded");
    }
  }

  @Test
  void scansAreCounted() {
    int scan = segment(WHOLE, 0xDA);
    byte[] again = Arrays.copyOfRange(WHOLE, scan, WHOLE.length - 2);
    byte[] file = insert(WHOLE, WHOLE.length - 2, repeat(again, 100));
    assertThatThrownBy(() -> ImageInput.of(file))
        .isInstanceOf(ImageException.class)
        .hasMessage("the given input is stored in more than 100 scans; save it again as a JPEG");
  }
}

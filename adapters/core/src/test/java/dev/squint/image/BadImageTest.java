package dev.squint.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.fixtures.TestCache;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opencv.core.CvType;
import org.opencv.core.Mat;

class BadImageTest {

  @TempDir static Path folder;

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  private static RgbImage use(Path file) {
    return RgbImage.decode(ImageInput.of(file));
  }

  private static Path file(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content);
  }

  private static byte[] encode(BufferedImage image, String format) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(ImageIO.write(image, format, out)).isTrue();
    return out.toByteArray();
  }

  private static byte[] noise(String format) throws IOException {
    BufferedImage image = new BufferedImage(120, 80, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 120 * 80; i++) {
      image.setRGB(i % 120, i / 120, i * 0x9E3779B1);
    }
    return encode(image, format);
  }

  private static void assertRefused(Path file, String message) {
    assertThatThrownBy(() -> use(file)).isInstanceOf(ImageException.class).hasMessage(message);
  }

  @Test
  void noSuchFile() {
    Path file = folder.resolve("nowhere.png");
    assertRefused(file, "no such file: " + file + "; check the path of the image");
  }

  @Test
  void aFolder() {
    assertRefused(folder, folder + " is a folder; name an image file");
  }

  @Test
  void zeroBytes() throws IOException {
    Path file = file("zero.png", new byte[0]);
    assertRefused(
        file, file + " is empty (0 bytes); give a PNG, JPEG, BMP, WebP, TIFF, GIF or PNM file");
  }

  @Test
  void aTextNamedPng() throws IOException {
    Path file = file("text.png", "I am no image".getBytes(StandardCharsets.UTF_8));
    assertRefused(
        file,
        file
            + " is not an image: it does not start like a PNG, JPEG, BMP, WebP, TIFF, GIF or PNM file;"
            + " convert it to one of these");
  }

  @ParameterizedTest
  @ValueSource(strings = {"png", "jpg"})
  void withoutItsEnd(String format) throws IOException {
    byte[] whole = noise(format);
    Path file = file("end." + format, Arrays.copyOf(whole, whole.length / 2));
    assertRefused(file, file + " is damaged or cut off: its end is missing");
  }

  @Test
  void whatFollowsTheEndDoesNotMatter() throws IOException {
    for (String format : new String[] {"png", "jpg"}) {
      byte[] whole = noise(format);
      Path longer = file("longer." + format, Arrays.copyOf(whole, whole.length + 500));
      assertThat(use(longer).rgb()).isEqualTo(use(file("whole." + format, whole)).rgb());
    }
  }

  @Test
  void aWrongChecksumIsFoundBeforeTheDecoderPrintsAboutIt() throws IOException {
    byte[] bytes = noise("png");
    bytes[bytes.length / 2] ^= 1;
    Path file = file("wrong.png", bytes);
    assertRefused(file, file + " is damaged or cut off: its pixels cannot be decoded");
    assertThatThrownBy(() -> ImageInput.of(file)).isInstanceOf(ImageException.class);
  }

  @Test
  void imagesThatAreNotReadAreCalledByName() throws IOException {
    Path phone = file("a.heic", "0000ftypheic".getBytes(StandardCharsets.US_ASCII));
    assertRefused(phone, phone + " is a HEIC, AVIF or video file; convert it to PNG or JPEG");
  }

  @Test
  void anEndlessStreamIsRefusedByItsStart() {
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 0;
          }
        };
    assertThatThrownBy(() -> ImageInput.of(endless))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("is not an image");
  }

  @ParameterizedTest
  @ValueSource(strings = {"png", "jpg", "bmp", "tiff", "gif"})
  void damageIsNothingButAnImageException(String format) throws IOException {
    byte[] whole = noise(format);
    Random random = new Random(7);
    int refused = 0;
    for (int i = 0; i < 500; i++) {
      byte[] damaged = whole.clone();
      for (int k = 0; k < 4; k++) {
        damaged[random.nextInt(64)] = (byte) random.nextInt();
      }
      try {
        ImageInput.of(damaged);
      } catch (ImageException e) {
        assertThat(e.getMessage().lines()).hasSize(1);
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  @ParameterizedTest
  @ValueSource(strings = {"bmp", "tiff", "gif"})
  void cutOffInTheMiddleOfThePixels(String format) throws IOException {
    byte[] whole = noise(format);
    Path file = file("half." + format, Arrays.copyOf(whole, whole.length / 2));
    assertRefused(file, file + " is damaged or cut off: its pixels cannot be decoded");
  }

  @Test
  void cutOffInTheHeader() throws IOException {
    Path file = file("header.webp", "RIFF1234WEBPVP8X".getBytes(StandardCharsets.US_ASCII));
    assertRefused(file, file + " is damaged or cut off: its header cannot be read");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1|1|'; give an image of at least 8 pixels a side'",
        "7|100|'; give an image of at least 8 pixels a side'",
        "20000|20|', longer than 20:1; crop it to the part that matters'",
        "9|181|', longer than 20:1; crop it to the part that matters'"
      })
  void ofAbsurdShape(int width, int height, String complaint) throws IOException {
    Path file =
        file(
            width + ".png",
            encode(new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY), "png"));
    assertRefused(file, file + " is " + width + "x" + height + " pixels" + complaint);
  }

  @Test
  void aBombIsRefusedByItsHeader() throws IOException {
    byte[] bomb = noise("png");
    ByteBuffer header = ByteBuffer.wrap(bomb);
    header.putInt(16, 30_000).putInt(20, 30_000);
    CRC32 crc = new CRC32();
    crc.update(bomb, 12, 17);
    header.putInt(29, (int) crc.getValue());
    Path file = file("bomb.png", bomb);
    assertRefused(
        file, file + " is 30000x30000 pixels, more than 100 megapixels; scale it down first");
  }

  @Test
  void aWebPBombIsRefusedByItsHeaderToo() throws IOException {
    ByteBuffer bomb = ByteBuffer.allocate(30).order(ByteOrder.LITTLE_ENDIAN);
    bomb.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(22);
    bomb.put("WEBPVP8X".getBytes(StandardCharsets.US_ASCII)).putInt(10).putInt(0);
    int last = 16_000 - 1;
    for (int i = 0; i < 2; i++) {
      bomb.put((byte) last).put((byte) (last >> 8)).put((byte) (last >> 16));
    }
    Path file = file("bomb.webp", bomb.array());
    assertRefused(
        file, file + " is 16000x16000 pixels, more than 100 megapixels; scale it down first");
  }

  @Test
  void transparentPixelsLieOnWhite() throws IOException {
    BufferedImage drawn = new BufferedImage(10, 10, BufferedImage.TYPE_INT_ARGB);
    Graphics2D pen = drawn.createGraphics();
    pen.setColor(Color.RED);
    pen.fillRect(0, 0, 5, 10);
    pen.dispose();
    drawn.setRGB(0, 0, 0x80000000);
    RgbImage image = RgbImage.decode(ImageInput.of(drawn));
    assertThat(pixel(image, 2, 2)).containsExactly(255, 0, 0);
    assertThat(pixel(image, 7, 2)).containsExactly(255, 255, 255);
    assertThat(pixel(image, 0, 0)).containsExactly(127, 127, 127);
  }

  @Test
  void greyAndDeepSamplesAreHandled() throws IOException {
    for (int type : new int[] {BufferedImage.TYPE_BYTE_GRAY, BufferedImage.TYPE_USHORT_GRAY}) {
      BufferedImage drawn = new BufferedImage(10, 10, type);
      drawn.getRaster().setSample(3, 4, 0, type == BufferedImage.TYPE_BYTE_GRAY ? 77 : 77 * 257);
      RgbImage image = RgbImage.decode(ImageInput.of(drawn));
      assertThat(pixel(image, 3, 4)).containsExactly(77, 77, 77);
      assertThat(pixel(image, 4, 4)).containsExactly(0, 0, 0);
    }
  }

  @Test
  void fileBytesStreamAndImageGiveTheSamePixels() throws IOException {
    byte[] png = noise("png");
    byte[] expected = use(file("same.png", png)).rgb();
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
    assertThat(RgbImage.decode(ImageInput.of(png)).rgb()).isEqualTo(expected);
    assertThat(RgbImage.decode(ImageInput.of(new ByteArrayInputStream(png))).rgb())
        .isEqualTo(expected);
    assertThat(RgbImage.decode(ImageInput.of(image)).rgb()).isEqualTo(expected);
  }

  @Test
  void theOrientationThatACameraNotedIsApplied() throws IOException {
    byte[] jpeg = noise("jpg");
    byte[] note =
        HexFormat.of()
            .parseHex(
                "ffe10022457869660000"
                    + "4d4d002a00000008"
                    + "0001"
                    + "011200030000000100060000"
                    + "00000000");
    ByteArrayOutputStream turned = new ByteArrayOutputStream();
    turned.write(jpeg, 0, 2);
    turned.write(note);
    turned.write(jpeg, 2, jpeg.length - 2);
    RgbImage image = use(file("turned.jpg", turned.toByteArray()));
    assertThat(image.width()).isEqualTo(80);
    assertThat(image.height()).isEqualTo(120);
  }

  /** Images with the note that the camera was turned right ({@code fixtures/turned.py}). */
  @ParameterizedTest
  @ValueSource(strings = {"turned.webp", "turned-alpha.webp", "turned-alpha.png", "turned.png"})
  void theOrientationIsAppliedWhateverTheFormat(String name) throws IOException {
    try (InputStream in = BadImageTest.class.getResourceAsStream(name)) {
      RgbImage image = RgbImage.decode(ImageInput.of(in));
      assertThat(image.width()).isEqualTo(20);
      assertThat(image.height()).isEqualTo(30);
      assertThat(pixel(image, 15, 5)).containsExactly(255, 0, 0);
      assertThat(pixel(image, 15, 25)).containsExactly(0, 255, 0);
      assertThat(pixel(image, 5, 5)).containsExactly(0, 0, 255);
    }
  }

  /** Against the definition: which corner of what is stored ends up first, second... upright. */
  @ParameterizedTest
  @CsvSource({"1,0123", "2,1032", "3,3210", "4,2301", "5,0213", "6,2031", "7,3120", "8,1302"})
  void allEightOrientations(int way, String corners) {
    Mat image = new Mat(2, 2, CvType.CV_8U);
    try {
      image.put(0, 0, new byte[] {'0', '1', '2', '3'});
      new Orientation(way).apply(image);
      byte[] turned = new byte[4];
      image.get(0, 0, turned);
      assertThat(new String(turned, StandardCharsets.US_ASCII)).isEqualTo(corners);
    } finally {
      image.release();
    }
  }

  private static int[] pixel(RgbImage image, int x, int y) {
    return new int[] {image.sample(x, y, 0), image.sample(x, y, 1), image.sample(x, y, 2)};
  }
}

package dev.squint.image;

import static dev.squint.image.EncodedFiles.bytes;
import static dev.squint.image.EncodedFiles.chunk;
import static dev.squint.image.EncodedFiles.header;
import static dev.squint.image.EncodedFiles.insert;
import static dev.squint.image.EncodedFiles.join;
import static dev.squint.image.EncodedFiles.noise;
import static dev.squint.image.EncodedFiles.png;
import static dev.squint.image.EncodedFiles.repeat;
import static dev.squint.image.EncodedFiles.riff;
import static dev.squint.image.EncodedFiles.samples;
import static dev.squint.image.EncodedFiles.segment;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.squint.ImageProcess;
import dev.squint.fixtures.TestCache;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opencv.core.Core;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.Scalar;

/** What an image may cost in time and lines on standard error. */
class RgbImageCostTest {

  private static final Duration SECONDS = Duration.ofMinutes(1);
  private static final byte[] END = chunk("IEND", new byte[0]);

  @TempDir static Path folder;

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  /** Files of a few MB in which something is there a million times; squared that is hours. */
  static Stream<byte[]> longLists() throws IOException {
    byte[] jpeg = noise("jpg", 40, 30);
    int scan = segment(jpeg, 0xDA);
    byte[] table = Arrays.copyOfRange(jpeg, segment(jpeg, 0xDB), segment(jpeg, 0xDB) + 69);
    byte[] stream = samples(1000, new byte[1000]);
    byte[] grey = header(1000, 1000, 8, 0);
    byte[] block = chunk("IDAT", stream);
    byte[] webp;
    try (InputStream in = RgbImageCostTest.class.getResourceAsStream("turned.webp")) {
      webp = in.readAllBytes();
    }
    byte[] manyChunks = insert(webp, 30, repeat(riff("ABCD", new byte[0]), 1_000_000));
    ByteBuffer.wrap(manyChunks).order(ByteOrder.LITTLE_ENDIAN).putInt(4, manyChunks.length - 8);
    return Stream.of(
        join(bytes(0xFF, 0xD8), repeat(bytes(0xFF), 2_000_000)),
        insert(jpeg, scan, repeat(bytes(0xFF), 2_000_000)),
        insert(jpeg, jpeg.length - 2, repeat(bytes(0xFF), 2_000_000)),
        insert(jpeg, jpeg.length - 2, repeat(bytes(0xFF, 0xD0), 1_000_000)),
        insert(jpeg, jpeg.length - 2, new byte[2_000_000]),
        insert(jpeg, 2, repeat(bytes(0xFF, 0xFE, 0, 2), 1_000_000)),
        insert(jpeg, 2, repeat(bytes(0xFF, 0xE0, 0, 2), 1_000_000)),
        insert(jpeg, 2, repeat(bytes(0xFF, 0xE1, 0, 2), 1_000_000)),
        insert(jpeg, 2, repeat(bytes(0xFF, 0xE2, 0, 2), 1_000_000)),
        insert(jpeg, 2, repeat(bytes(0xFF, 0xEE, 0, 2), 1_000_000)),
        insert(jpeg, 2, repeat(bytes(0xFF, 0xDD, 0, 4, 0, 0), 1_000_000)),
        insert(jpeg, 2, repeat(table, 50_000)),
        png(grey, repeat(chunk("tEXt", new byte[3]), 1_000_000), block, END),
        png(grey, repeat(chunk("IDAT", new byte[0]), 1_000_000), block, END),
        png(grey, repeat(chunk("eXIf", new byte[0]), 1_000_000), block, END),
        manyChunks,
        insert(noise("gif", 40, 30), 13 + 3 * 256, repeat(bytes(0x21, 0xFE, 0), 1_000_000)),
        insert(noise("gif", 40, 30), 13 + 3 * 256, new byte[2_000_000]),
        join(bytes('G', 'I', 'F', '8', '9', 'a', 40, 0, 30, 0, 0, 0, 0, 0x21, 0xFE), ones()),
        join(bytes('G', 'I', 'F', '8', '9', 'a', 40, 0, 30, 0, 0, 0, 0), gifOfResets()),
        join("P3 40 30 255 ".getBytes(US_ASCII), repeat(bytes('0'), 2_000_000)),
        join("P1 40 30 #".getBytes(US_ASCII), repeat(bytes('1'), 2_000_000)),
        join("P6 #".getBytes(US_ASCII), repeat(bytes('#', ' '), 1_000_000)),
        join("P5 40 30 255 ".getBytes(US_ASCII), new byte[40 * 30], new byte[2_000_000]));
  }

  private static byte[] ones() {
    return repeat(bytes(1, 1), 1_000_000);
  }

  /** Eight codes in three bytes that all say to begin anew. */
  private static byte[] gifOfResets() {
    byte[] block = join(bytes(255), repeat(bytes(0x24, 0x49, 0x92), 85));
    return join(bytes(0x2C, 0, 0, 0, 0, 40, 0, 30, 0, 0, 2), repeat(block, 8_000));
  }

  /** Without a name, which would print all bytes of a file. */
  @ParameterizedTest(name = "{index}")
  @MethodSource("longLists")
  void longListsTakeOnePass(byte[] file) {
    assertTimeoutPreemptively(
        SECONDS,
        () -> {
          try {
            RgbImage.decode(ImageInput.of(file));
          } catch (ImageException e) {
            assertThat(e.getMessage().lines()).hasSize(1);
          }
        });
  }

  /** Nobody set OPENCV_LOG_LEVEL here. */
  @Test
  void nothingIsPrintedAboutDamage() throws Exception {
    Random random = new Random(7);
    List<Path> files = new ArrayList<>();
    for (String format : new String[] {"png", "jpg", "bmp", "tiff", "webp"}) {
      byte[] whole = format.equals("webp") ? turned() : noise(format, 40, 30);
      for (int i = 0; i < 150; i++) {
        byte[] damaged =
            Arrays.copyOf(whole, i % 5 == 0 ? random.nextInt(whole.length) : whole.length);
        for (int k = 0; k < i % 3 + 1 && damaged.length > 0; k++) {
          int at = random.nextInt(i % 2 == 0 ? damaged.length : Math.min(100, damaged.length));
          damaged[at] = (byte) random.nextInt();
        }
        if (format.equals("png") && i % 3 > 0) {
          fixSums(damaged);
        }
        files.add(Files.write(folder.resolve(i + "." + format), damaged));
      }
    }
    ImageProcess process = ImageProcess.run(folder, "-Xmx256m", files);
    assertThat(process.lines()).hasSameSizeAs(files);
    assertThat(process.errors()).isEmpty();
  }

  private static byte[] turned() throws IOException {
    try (InputStream in = RgbImageCostTest.class.getResourceAsStream("turned.webp")) {
      return in.readAllBytes();
    }
  }

  private static void fixSums(byte[] png) {
    ByteBuffer file = ByteBuffer.wrap(png);
    for (int at = 8; at <= png.length - 12; ) {
      int length = file.getInt(at);
      if (length < 0 || length > png.length - 12 - at) {
        return;
      }
      CRC32 sum = new CRC32();
      sum.update(png, at + 4, length + 4);
      file.putInt(at + 8 + length, (int) sum.getValue());
      at += 12 + length;
    }
  }

  /** Strips of rows give what the whole image gave in one go. */
  @ParameterizedTest
  @CsvSource({"8, 13", "1000, 1100", "1001, 811", "16, 40000", "7000, 350"})
  void stripsOnWhiteAreAsTheWhole(int width, int height) {
    for (int type : new int[] {CvType.CV_8UC4, CvType.CV_16UC4}) {
      Mat bgra = new Mat(height, width, type);
      try {
        Core.randu(bgra, 0, type == CvType.CV_8UC4 ? 256 : 65536);
        assertThat(RgbImage.of(bgra).rgb()).isEqualTo(onWhite(bgra));
      } finally {
        bgra.release();
      }
    }
  }

  private static byte[] onWhite(Mat bgra) {
    Mat unit = new Mat();
    List<Mat> planes = new ArrayList<>();
    Mat white = new Mat();
    Mat merged = new Mat();
    bgra.convertTo(unit, CvType.CV_32F, bgra.depth() == CvType.CV_16U ? 1.0 / 65535 : 1.0 / 255);
    Core.split(unit, planes);
    planes.get(3).convertTo(white, CvType.CV_32F, -1, 1);
    for (Mat plane : planes.subList(0, 3)) {
      Core.multiply(plane, planes.get(3), plane);
      Core.add(plane, white, plane);
      Core.multiply(plane, new Scalar(255), plane);
    }
    Core.merge(List.of(planes.get(2), planes.get(1), planes.get(0)), merged);
    Mat rgb = new Mat();
    merged.convertTo(rgb, CvType.CV_8U);
    byte[] samples = new byte[3 * bgra.rows() * bgra.cols()];
    rgb.get(0, 0, samples);
    Stream.of(unit, white, merged, rgb).forEach(Mat::release);
    planes.forEach(Mat::release);
    return samples;
  }

  @Test
  void aPipeIsNotOpened() throws Exception {
    Path pipe = folder.resolve("pipe.png");
    assumeTrue(Files.isDirectory(Path.of("/proc")));
    assumeTrue(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0);
    Path link = Files.createSymbolicLink(folder.resolve("link.png"), pipe);
    for (Path file : new Path[] {pipe, link, Path.of("/dev/zero")}) {
      assertTimeoutPreemptively(
          SECONDS,
          () ->
              assertThatThrownBy(() -> ImageInput.of(file))
                  .isInstanceOf(ImageException.class)
                  .hasMessage(
                      file
                          + " is a pipe, a socket or a device; copy the image into an ordinary"
                          + " file"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/proc/self/status", "/proc/kmsg"})
  void aFileOfTheSystemIsNotOpened(Path file) {
    assumeTrue(Files.isRegularFile(file));
    assertTimeoutPreemptively(
        SECONDS,
        () ->
            assertThatThrownBy(() -> ImageInput.of(file))
                .isInstanceOf(ImageException.class)
                .hasMessageStartingWith(file + " is empty (0 bytes)"));
  }

  @Test
  void aNameOfSeveralLinesIsOneLine() {
    assertThatThrownBy(() -> ImageInput.of(folder.resolve("a\nb\u2028c.png")))
        .isInstanceOf(ImageException.class)
        .hasMessage(
            "no such file: " + folder.resolve("a?b?c.png") + "; check the path of the image");
  }
}

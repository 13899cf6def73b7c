package dev.squint.image;

import static dev.squint.image.EncodedFiles.header;
import static dev.squint.image.EncodedFiles.join;
import static dev.squint.image.EncodedFiles.png;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.squint.ImageProcess;
import dev.squint.fixtures.Share;
import dev.squint.fixtures.TestCache;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.Scalar;
import org.opencv.imgcodecs.Imgcodecs;

/** What an image may cost in memory, each in a Java of its own. */
class ImageMemoryTest {

  @TempDir static Path folder;

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  /** Depth, colour type and bytes of a pixel, each depth and each type among them. */
  static Stream<Arguments> pngs() {
    return Share.of(
        List.of(
            Arguments.of(16, 6, 8),
            Arguments.of(8, 6, 4),
            Arguments.of(8, 0, 3),
            Arguments.of(16, 2, 6),
            Arguments.of(8, 2, 3)),
        0,
        2);
  }

  /** The decoded image, one more copy and the samples in the Java heap, and some slack. */
  @ParameterizedTest
  @MethodSource("pngs")
  void memoryIsTheImageAndOneCopy(int depth, int colorType, int bytesAPixel) throws Exception {
    assumeTrue(Files.isReadable(Path.of("/proc/self/status")));
    int side = 4000;
    int channels = colorType == 6 ? 4 : colorType == 2 ? 3 : 1;
    byte[] row = new byte[side * channels * depth / 8];
    Path file = Files.write(folder.resolve("large.png"), png(side, side, depth, colorType, row));
    ImageProcess process = ImageProcess.run(folder, "-Xmx256m", List.of(file));
    assertThat(process.lines()).containsExactly("4000x4000");
    long megapixels = (long) side * side / 1_000_000;
    assertThat(process.grown() / 1000).isLessThan(megapixels * (2 * bytesAPixel + 3) + 38);
  }

  /** Files that are decoded here. */
  @ParameterizedTest
  @ValueSource(strings = {"ppm", "gif", "bmp"})
  void memoryOfOwnDecodersIsTheImageAndOneCopy(String format) throws Exception {
    assumeTrue(Files.isReadable(Path.of("/proc/self/status")));
    int side = 5000;
    byte[] content =
        switch (format) {
          case "ppm" -> join("P6 5000 5000 255 ".getBytes(US_ASCII), new byte[3 * side * side]);
          case "gif" -> gif(side);
          default -> join(bitmapHeader(side), new byte[4 * side * side]);
        };
    Path file = Files.write(folder.resolve("large." + format), content);
    ImageProcess process = ImageProcess.run(folder, "-Xmx256m", List.of(file));
    assertThat(process.lines()).containsExactly("5000x5000");
    long megapixels = (long) side * side / 1_000_000;
    assertThat(process.grown() / 1000).isLessThan(megapixels * (3 * 4) + 60);
  }

  /** Four bytes a pixel are decoded, and three of the copy. */
  @Test
  void memoryOfAJpegIsTheImageAndOneCopy() throws Exception {
    assumeTrue(Files.isReadable(Path.of("/proc/self/status")));
    int side = 5000;
    Path file = folder.resolve("large.jpg");
    Mat image = new Mat(side, side, CvType.CV_8UC3, Scalar.all(77));
    try {
      assertThat(Imgcodecs.imwrite(file.toString(), image)).isTrue();
    } finally {
      image.release();
    }
    ImageProcess process = ImageProcess.run(folder, "-Xmx256m", List.of(file));
    assertThat(process.lines()).containsExactly("5000x5000");
    long megapixels = (long) side * side / 1_000_000;
    assertThat(process.grown() / 1000).isLessThan(megapixels * (4 + 3) + 60);
  }

  private static byte[] gif(int side) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(side, side, BufferedImage.TYPE_BYTE_BINARY), "gif", out);
    return out.toByteArray();
  }

  private static byte[] bitmapHeader(int side) {
    ByteBuffer header = ByteBuffer.allocate(54).order(ByteOrder.LITTLE_ENDIAN);
    header.put(0, (byte) 'B').put(1, (byte) 'M').putInt(10, 54).putInt(14, 40);
    return header.putInt(18, side).putInt(22, side).putShort(28, (short) 32).array();
  }

  @Test
  void aHeapThatIsTooSmallIsASentence() throws Exception {
    Path file = Files.write(folder.resolve("heap.png"), png(5000, 5000, 8, 0, new byte[5000]));
    ImageProcess process = ImageProcess.run(folder, "-Xmx48m", List.of(file));
    assertThat(process.lines())
        .containsExactly(
            file + " does not fit into memory; scale it down, or give Java more (-Xmx)");
  }
}

package dev.squint.image;

import static dev.squint.image.EncodedFiles.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.squint.fixtures.TestCache;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opencv.core.Core;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.MatOfByte;
import org.opencv.core.MatOfInt;
import org.opencv.imgcodecs.Imgcodecs;

/** It must not be sure of a file over which the desktop library's decoder complains. */
class JpegScanTest {

  private static final int DAMAGED = 200;

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  /** In the way that a letter stands for: gray, or sampling of colours, or with restarts. */
  private static byte[] encoded(String way) {
    if (way.equals("desktop")) {
      return noise("jpg", 70, 50);
    }
    Mat image = new Mat(50, 70, way.equals("gray") ? CvType.CV_8UC1 : CvType.CV_8UC3);
    MatOfByte out = new MatOfByte();
    MatOfInt how =
        switch (way) {
          case "444" -> sampling(Imgcodecs.IMWRITE_JPEG_SAMPLING_FACTOR_444);
          case "422" -> sampling(Imgcodecs.IMWRITE_JPEG_SAMPLING_FACTOR_422);
          case "440" -> sampling(Imgcodecs.IMWRITE_JPEG_SAMPLING_FACTOR_440);
          case "optimal" -> new MatOfInt(Imgcodecs.IMWRITE_JPEG_OPTIMIZE, 1);
          case "restarts" -> new MatOfInt(Imgcodecs.IMWRITE_JPEG_RST_INTERVAL, 2);
          default -> new MatOfInt(Imgcodecs.IMWRITE_JPEG_QUALITY, 30);
        };
    try {
      Core.randu(image, 0, 256);
      Imgcodecs.imencode(".jpg", image, out, how);
      return out.toArray();
    } finally {
      image.release();
      out.release();
      how.release();
    }
  }

  private static MatOfInt sampling(int factor) {
    return new MatOfInt(Imgcodecs.IMWRITE_JPEG_SAMPLING_FACTOR, factor);
  }

  @ParameterizedTest
  @ValueSource(strings = {"desktop", "gray", "444", "422", "440", "optimal", "restarts", "coarse"})
  void itIsSureOfWholeFilesAndOfNoDamagedOne(String way) {
    byte[] whole = encoded(way);
    assertThat(JpegScan.isWhole(whole, Jpeg.read("it", whole))).isTrue();
    Random random = new Random(way.hashCode());
    int refused = 0;
    for (int i = 0; i < DAMAGED; i++) {
      byte[] damaged = damaged(whole, random);
      Jpeg jpeg;
      try {
        jpeg = Jpeg.read("it", damaged);
      } catch (ImageException e) {
        continue;
      }
      if (!JpegScan.isWhole(damaged, jpeg)) {
        refused++;
      } else if (!DesktopJpeg.decodesInSilence("it", damaged, jpeg)) {
        fail("file %d of %s", i, way);
      }
    }
    assertThat(refused).isPositive();
  }

  /** With a few other bytes, or some bytes too few or too many. */
  private static byte[] damaged(byte[] whole, Random random) {
    byte[] damaged = whole.clone();
    int at = 2 + random.nextInt(whole.length - 4);
    switch (random.nextInt(3)) {
      case 0 -> damaged[at] = (byte) random.nextInt();
      case 1 -> {
        int few = Math.min(1 + random.nextInt(3), whole.length - 2 - at);
        System.arraycopy(whole, at + few, damaged, at, whole.length - at - few);
        damaged = Arrays.copyOf(damaged, whole.length - few);
      }
      default -> {
        damaged = EncodedFiles.insert(whole, at, new byte[] {(byte) random.nextInt(), 0});
      }
    }
    return damaged;
  }
}

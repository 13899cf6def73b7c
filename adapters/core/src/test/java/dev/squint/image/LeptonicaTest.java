package dev.squint.image;

import static dev.squint.image.EncodedFiles.noise;
import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.fixtures.TestCache;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opencv.core.Core;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.MatOfByte;
import org.opencv.core.MatOfInt;
import org.opencv.imgcodecs.Imgcodecs;

/** Both native decoders give the same samples. */
class LeptonicaTest {

  @BeforeAll
  static void load() {
    OpenCv.load(TestCache.FOLDER);
  }

  private static RgbImage decodeWithOpenCv(byte[] file, Orientation orientation) {
    Mat decoded = NativeDecoder.opaque(EncodedImage.of(file)).decode("it");
    try {
      orientation.apply(decoded);
      return RgbImage.of(decoded);
    } finally {
      decoded.release();
    }
  }

  private static byte[] encoded(int sampling, int progressive) {
    Mat small = new Mat(9, 13, CvType.CV_8UC3);
    Mat image = new Mat();
    MatOfByte out = new MatOfByte();
    MatOfInt how =
        new MatOfInt(
            Imgcodecs.IMWRITE_JPEG_SAMPLING_FACTOR,
            sampling,
            Imgcodecs.IMWRITE_JPEG_PROGRESSIVE,
            progressive);
    try {
      Core.randu(small, 0, 256);
      Core.copyMakeBorder(small, image, 20, 14, 40, 20, Core.BORDER_REFLECT);
      Imgcodecs.imencode(".jpg", image, out, how);
      return out.toArray();
    } finally {
      small.release();
      image.release();
      out.release();
      how.release();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0x411111, 0",
    "0x221111, 0",
    "0x211111, 0",
    "0x121111, 0",
    "0x111111, 0",
    "0x221111, 1"
  })
  void itDecodesToTheSamplesOfOpenCv(String sampling, int progressive) {
    byte[] file = encoded(Integer.decode(sampling), progressive);
    for (int way = 1; way <= 8; way++) {
      Orientation orientation = new Orientation(way);
      RgbImage expected = decodeWithOpenCv(file, orientation);
      RgbImage image = Leptonica.decodeJpeg(file, Jpeg.read("it", file), orientation).orElseThrow();
      assertThat(image.width()).isEqualTo(expected.width());
      assertThat(image.rgb()).isEqualTo(expected.rgb());
    }
  }

  @Test
  void anImageOfAnotherSizeIsLeftToOpenCv() {
    byte[] file = noise("jpg", 40, 30);
    Jpeg jpeg = Jpeg.read("it", file);
    Jpeg other = new Jpeg(40, 31, jpeg.components(), jpeg.notes(), jpeg.end());
    assertThat(Leptonica.decodeJpeg(file, jpeg, Orientation.UPRIGHT)).isPresent();
    assertThat(Leptonica.decodeJpeg(file, other, Orientation.UPRIGHT)).isEmpty();
  }
}

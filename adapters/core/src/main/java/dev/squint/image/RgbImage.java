package dev.squint.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.opencv.core.Core;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.Scalar;

/**
 * A decoded image: 8-bit RGB, row by row. Transparent pixels lie on white, 16-bit samples are
 * scaled to 8, the orientation a camera noted is applied.
 *
 * @param width pixels a row
 * @param height rows
 * @param rgb {@code 3 * width * height} samples, channels last
 */
public record RgbImage(int width, int height, byte[] rgb) {

  private static final int STRIP_PIXELS = 1 << 18;
  private static final int STRIP_STEP = 16;

  /**
   * Decodes one. Native memory holds the file, the decoded image and, where it has to be turned,
   * one more of it; the samples come on top in the Java heap.
   *
   * @throws ImageException if that fails, whatever the reason
   */
  public static RgbImage decode(ImageInput input) {
    ImageHeader header = input.header();
    Mat decoded = new Mat();
    try {
      Optional<RgbImage> upright = header.decoder().upright(header.orientation());
      if (upright.isPresent()) {
        return upright.get();
      }
      decoded = header.decoder().decode(input.name());
      if (!header.isSizeOf(decoded.cols(), decoded.rows())) {
        throw ImageHeader.pixelsDamaged(input.name());
      }
      header.orientation().apply(decoded);
      return of(decoded);
    } catch (ImageException e) {
      throw e;
    } catch (OutOfMemoryError e) {
      throw ImageHeader.tooLarge(input.name(), e);
    } catch (Exception e) {
      // OpenCV's binding throws what C++ threw, undeclared checked exceptions among it.
      throw new ImageException(input.name() + ImageHeader.PIXELS_DAMAGED, e);
    } finally {
      decoded.release();
    }
  }

  /** The image in an 8-bit BGR matrix, or in a BGRA matrix of 8 or 16 bits. */
  static RgbImage of(Mat decoded) {
    int columns = decoded.cols();
    int rows = decoded.rows();
    byte[] samples = new byte[3 * columns * rows];
    if (decoded.channels() == 4) {
      flatten(decoded, samples);
    } else {
      decoded.get(0, 0, samples);
    }
    for (int i = 0; i < samples.length; i += 3) {
      byte blue = samples[i];
      samples[i] = samples[i + 2];
      samples[i + 2] = blue;
    }
    return new RgbImage(columns, rows, samples);
  }

  /** Lays a BGRA matrix on white, a strip of rows at a time: in between it is four times larger. */
  private static void flatten(Mat bgra, byte[] bgr) {
    int columns = bgra.cols();
    int step = Math.max(1, STRIP_PIXELS / columns / STRIP_STEP) * STRIP_STEP;
    Mat flat = new Mat();
    try {
      for (int row = 0; row < bgra.rows(); row += step) {
        Mat strip = bgra.rowRange(row, Math.min(bgra.rows(), row + step));
        try {
          onWhite(strip, flat);
          byte[] samples = new byte[3 * columns * strip.rows()];
          flat.get(0, 0, samples);
          System.arraycopy(samples, 0, bgr, 3 * columns * row, samples.length);
        } finally {
          strip.release();
        }
      }
    } finally {
      flat.release();
    }
  }

  private static void onWhite(Mat bgra, Mat target) {
    double scale = bgra.depth() == CvType.CV_16U ? 1.0 / 65535 : 1.0 / 255;
    Mat unit = new Mat();
    List<Mat> planes = new ArrayList<>();
    Mat white = new Mat();
    Mat merged = new Mat();
    try {
      bgra.convertTo(unit, CvType.CV_32F, scale);
      Core.split(unit, planes);
      Mat alpha = planes.get(3);
      alpha.convertTo(white, CvType.CV_32F, -1, 1);
      for (Mat plane : planes.subList(0, 3)) {
        Core.multiply(plane, alpha, plane);
        Core.add(plane, white, plane);
        Core.multiply(plane, new Scalar(255), plane);
      }
      Core.merge(planes.subList(0, 3), merged);
      merged.convertTo(target, CvType.CV_8U);
    } finally {
      unit.release();
      planes.forEach(Mat::release);
      white.release();
      merged.release();
    }
  }

  /** A new 8-bit BGR matrix, to be released by the caller. */
  public Mat toMat() {
    byte[] bgr = rgb.clone();
    for (int i = 0; i < bgr.length; i += 3) {
      bgr[i] = rgb[i + 2];
      bgr[i + 2] = rgb[i];
    }
    Mat mat = new Mat(height, width, CvType.CV_8UC3);
    mat.put(0, 0, bgr);
    return mat;
  }

  public int sample(int x, int y, int channel) {
    return rgb[3 * (y * width + x) + channel] & 0xFF;
  }
}

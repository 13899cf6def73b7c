package dev.squint.adapters;

import java.util.ArrayList;
import java.util.List;
import org.opencv.core.Core;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.MatOfByte;
import org.opencv.core.Scalar;
import org.opencv.imgcodecs.Imgcodecs;

/**
 * A decoded picture: 8-bit RGB, row by row. Transparent pixels lie on white, 16-bit samples are
 * scaled to 8, the orientation a camera noted is applied.
 *
 * @param width pixels a row
 * @param height rows
 * @param rgb {@code 3 * width * height} samples, channels last
 */
record Picture(int width, int height, byte[] rgb) {

  static Picture decode(ImageInput input) {
    MatOfByte encoded = new MatOfByte(input.encoded());
    Mat bgr = new Mat();
    try {
      boolean transparent = input.header().mayBeTransparent() && readOnWhite(input, encoded, bgr);
      if (!transparent) {
        Mat color = Imgcodecs.imdecode(encoded, Imgcodecs.IMREAD_COLOR);
        color.copyTo(bgr);
        color.release();
        checkDecoded(input, bgr);
      }
      if (transparent || input.header().webP()) {
        input.header().orientation().apply(bgr);
      }
      return of(bgr);
    } finally {
      bgr.release();
      encoded.release();
    }
  }

  /** Reads a picture that has an alpha channel, not yet upright; false if it has none. */
  private static boolean readOnWhite(ImageInput input, MatOfByte encoded, Mat target) {
    Mat raw = Imgcodecs.imdecode(encoded, Imgcodecs.IMREAD_UNCHANGED);
    try {
      checkDecoded(input, raw);
      if (raw.channels() != 4) {
        return false;
      }
      onWhite(raw, target);
      return true;
    } finally {
      raw.release();
    }
  }

  private static void checkDecoded(ImageInput input, Mat decoded) {
    if (decoded.empty()) {
      throw new ImageException(input.name() + ImageHeader.PIXELS_DAMAGED);
    }
    ImageHeader.checkSize(input.name(), decoded.cols(), decoded.rows());
  }

  /** The picture in an 8-bit BGR matrix. */
  static Picture of(Mat bgr) {
    byte[] samples = new byte[3 * bgr.cols() * bgr.rows()];
    bgr.get(0, 0, samples);
    for (int i = 0; i < samples.length; i += 3) {
      byte blue = samples[i];
      samples[i] = samples[i + 2];
      samples[i + 2] = blue;
    }
    return new Picture(bgr.cols(), bgr.rows(), samples);
  }

  /** A new 8-bit BGR matrix, to be released by the caller. */
  Mat toMat() {
    byte[] bgr = rgb.clone();
    for (int i = 0; i < bgr.length; i += 3) {
      bgr[i] = rgb[i + 2];
      bgr[i + 2] = rgb[i];
    }
    Mat mat = new Mat(height, width, CvType.CV_8UC3);
    mat.put(0, 0, bgr);
    return mat;
  }

  int sample(int x, int y, int channel) {
    return rgb[3 * (y * width + x) + channel] & 0xFF;
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
}

package dev.squint.image;

import org.opencv.core.Core;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.Scalar;
import org.opencv.imgcodecs.Imgcodecs;

/**
 * OpenCV. How a camera was held is not left to it: it finds no note that comes after another, and
 * none that is not a short number.
 *
 * @param encoded what it gets
 * @param mayBeTransparent whether pixels can be transparent; false only if they cannot
 * @param clearGray the sample of a 16-bit gray image that is transparent, -1 if none is
 */
record NativeDecoder(EncodedImage encoded, boolean mayBeTransparent, int clearGray)
    implements PixelDecoder {

  private static final int COLOR = Imgcodecs.IMREAD_COLOR | Imgcodecs.IMREAD_IGNORE_ORIENTATION;
  private static final Scalar WHITE = Scalar.all(255);

  static NativeDecoder opaque(EncodedImage encoded) {
    return new NativeDecoder(encoded, false, -1);
  }

  @Override
  public Mat decode(String name) {
    Mat bytes = encoded.toMat();
    try {
      if (clearGray >= 0) {
        return clearGray(bytes);
      }
      if (mayBeTransparent) {
        Mat raw = Imgcodecs.imdecode(bytes, Imgcodecs.IMREAD_UNCHANGED);
        if (raw.channels() == 4) {
          return raw;
        }
        raw.release();
      }
      return Imgcodecs.imdecode(bytes, COLOR);
    } finally {
      bytes.release();
    }
  }

  /** White where the sample is; one of 16 bits is told from its neighbours only as stored. */
  private Mat clearGray(Mat bytes) {
    Mat clear = new Mat();
    try {
      Mat raw = Imgcodecs.imdecode(bytes, Imgcodecs.IMREAD_UNCHANGED);
      try {
        if (raw.type() == CvType.CV_16UC1) {
          Core.inRange(raw, Scalar.all(clearGray), Scalar.all(clearGray), clear);
        }
      } finally {
        raw.release();
      }
      Mat color = Imgcodecs.imdecode(bytes, COLOR);
      if (clear.size().equals(color.size())) {
        color.setTo(WHITE, clear);
      }
      return color;
    } finally {
      clear.release();
    }
  }
}

package dev.squint.adapters;

import dev.squint.models.ModelException;

/**
 * Resizes as Pillow does, since image processors of the hub mean Pillow when they say {@code
 * resample}: a separable filter whose support grows with the reduction (antialias), 8-bit samples
 * between the horizontal and the vertical pass, weights in fixed point; samples are equal to
 * Pillow's to the bit. OpenCV's bilinear and bicubic filters do not antialias, and its bicubic one
 * has another kernel.
 */
enum Resampler {
  BILINEAR(1.0) {
    @Override
    double kernel(double x) {
      return Math.max(0, 1 - Math.abs(x));
    }
  },
  BICUBIC(2.0) {
    @Override
    double kernel(double x) {
      double d = Math.abs(x);
      if (d < 1) {
        return (1.5 * d - 2.5) * d * d + 1;
      }
      return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
    }
  };

  private static final int FRACTION_BITS = 32 - 8 - 2;

  private final double support;

  Resampler(double support) {
    this.support = support;
  }

  abstract double kernel(double x);

  /** The filter that Pillow numbers so. */
  static Resampler ofPillow(int number) {
    return switch (number) {
      case 2 -> BILINEAR;
      case 3 -> BICUBIC;
      default ->
          throw new ModelException(
              "preprocessor_config.json: resample="
                  + number
                  + " is not supported; use 2 (bilinear) or 3 (bicubic)");
    };
  }

  Picture resize(Picture picture, int width, int height) {
    if (picture.width() == width && picture.height() == height) {
      return picture;
    }
    Picture wide = transposedPass(picture, width);
    return transposedPass(wide, height);
  }

  /** Resizes the rows to {@code length} samples and turns rows into columns. */
  private Picture transposedPass(Picture in, int length) {
    int rows = in.height();
    byte[] out = new byte[3 * rows * length];
    double scale = (double) in.width() / length;
    double stretch = Math.max(scale, 1);
    double reach = support * stretch;
    double[] exact = new double[(int) Math.ceil(reach) * 2 + 2];
    int[] weights = new int[exact.length];
    for (int x = 0; x < length; x++) {
      double center = (x + 0.5) * scale;
      int first = Math.max(0, (int) (center - reach + 0.5));
      int end = Math.min(in.width(), (int) (center + reach + 0.5));
      double sum = 0;
      for (int i = first; i < end; i++) {
        exact[i - first] = kernel((i - center + 0.5) / stretch);
        sum += exact[i - first];
      }
      for (int i = 0; i < end - first; i++) {
        double fixed = exact[i] / sum * (1 << FRACTION_BITS);
        weights[i] = (int) (fixed + Math.copySign(0.5, fixed));
      }
      for (int y = 0; y < rows; y++) {
        for (int channel = 0; channel < 3; channel++) {
          int value = 1 << (FRACTION_BITS - 1);
          for (int i = first; i < end; i++) {
            value += weights[i - first] * in.sample(i, y, channel);
          }
          int sample = Math.max(0, Math.min(255, value >> FRACTION_BITS));
          out[3 * (x * rows + y) + channel] = (byte) sample;
        }
      }
    }
    return new Picture(rows, length, out);
  }
}

package dev.squint.image;

import dev.squint.error.ModelException;
import java.util.Arrays;

/**
 * Resizes as Pillow does, since image processors of the hub mean Pillow when they say {@code
 * resample}: a separable filter whose support grows with the reduction (antialias), 8-bit samples
 * between the horizontal and the vertical pass, weights in fixed point; samples are equal to
 * Pillow's to the bit. OpenCV's bilinear and bicubic filters do not antialias, and its bicubic one
 * has another kernel.
 */
public enum Resampler {
  NEAREST(0, 0) {
    @Override
    double kernel(double x) {
      throw new UnsupportedOperationException("nearest has no kernel");
    }

    @Override
    public RgbImage resize(Canvas canvas, int width, int height, Window window) {
      int[] columns = nearest(canvas.width(), width);
      int[] rows = nearest(canvas.height(), height);
      byte[] out = new byte[3 * window.width() * window.height()];
      int at = 0;
      for (int y = window.top(); y < window.bottom(); y++) {
        for (int x = window.left(); x < window.right(); x++) {
          for (int channel = 0; channel < 3; channel++) {
            out[at++] = (byte) canvas.sample(columns[x], rows[y], channel);
          }
        }
      }
      return new RgbImage(window.width(), window.height(), out);
    }
  },
  LANCZOS(1, 3) {
    @Override
    double kernel(double x) {
      return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    }
  },
  BILINEAR(2, 1) {
    @Override
    double kernel(double x) {
      return Math.max(0, 1 - Math.abs(x));
    }
  },
  BICUBIC(3, 2) {
    @Override
    double kernel(double x) {
      double d = Math.abs(x);
      if (d < 1) {
        return (1.5 * d - 2.5) * d * d + 1;
      }
      return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
    }
  },
  BOX(4, 0.5) {
    @Override
    double kernel(double x) {
      return -0.5 < x && x <= 0.5 ? 1 : 0;
    }
  },
  HAMMING(5, 1) {
    @Override
    double kernel(double x) {
      return Math.abs(x) < 1 ? sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x)) : 0;
    }
  };

  static final int FRACTION_BITS = 32 - 8 - 2;

  private final int number;
  private final double support;

  Resampler(int number, double support) {
    this.number = number;
    this.support = support;
  }

  abstract double kernel(double x);

  /**
   * The filter that Pillow numbers so.
   *
   * @param number the number
   * @param source where it is from, for messages
   */
  public static Resampler ofPillow(int number, String source) {
    for (Resampler resampler : values()) {
      if (resampler.number == number) {
        return resampler;
      }
    }
    throw unknown(number, source);
  }

  private static ModelException unknown(int number, String source) {
    return new ModelException(
        source
            + "="
            + number
            + " is no filter; use 0 (nearest), 1 (Lanczos), 2 (bilinear), 3 (bicubic), 4 (box) or"
            + " 5 (Hamming)");
  }

  private static double sinc(double x) {
    return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  }

  /** Where each sample comes from; the steps add up in floating point as Pillow's do. */
  private static int[] nearest(int from, int to) {
    double step = (double) from / to;
    double at = step * 0.5;
    int[] origins = new int[to];
    for (int i = 0; i < to; i++) {
      origins[i] = Math.min(from - 1, (int) at);
      at += step;
    }
    return origins;
  }

  /** The image in another size. */
  public RgbImage resize(RgbImage image, int width, int height) {
    return resize(image, width, height, new Window(0, 0, width, height));
  }

  /** A part of the image in another size; only that part is computed. */
  public RgbImage resize(RgbImage image, int width, int height, Window window) {
    return resize(Canvas.of(image), width, height, window);
  }

  /** A part of what a canvas shows in another size; only that part is computed. */
  public RgbImage resize(Canvas canvas, int width, int height, Window window) {
    if (canvas.isBare()
        && canvas.width() == width
        && canvas.height() == height
        && window.width() == width
        && window.height() == height) {
      return canvas.image();
    }
    RgbImage wide = transposedPass(canvas.rows(), width, window.left(), window.right());
    return transposedPass(canvas.columns(wide), height, window.top(), window.bottom());
  }

  /**
   * Resizes the rows to {@code length} samples, of which those from {@code begin} to before {@code
   * stop} are computed, and turns rows into columns.
   */
  private RgbImage transposedPass(Strip strip, int length, int begin, int stop) {
    Taps[] taps = new Taps[stop - begin];
    Arrays.setAll(taps, x -> taps(strip, length, begin + x));
    return RowBlock.resize(strip.image(), taps);
  }

  /**
   * What a sample of the result is made of.
   *
   * @param first the first sample of the image
   * @param weights of the samples from there on
   * @param red what the rounding and the colour around add to red
   * @param green the same for green
   * @param blue the same for blue
   */
  record Taps(int first, int[] weights, int red, int green, int blue) {

    int end() {
      return first + weights.length;
    }

    int start(int channel) {
      return channel == 0 ? red : channel == 1 ? green : blue;
    }
  }

  private Taps taps(Strip strip, int length, int x) {
    double scale = (double) strip.length() / length;
    double stretch = Math.max(scale, 1);
    double reach = support * stretch;
    double center = (x + 0.5) * scale;
    int first = Math.max(0, (int) (center - reach + 0.5));
    int end = Math.min(strip.length(), (int) (center + reach + 0.5));
    double[] exact = new double[end - first];
    double sum = 0;
    for (int i = 0; i < exact.length; i++) {
      exact[i] = kernel((i + first - center + 0.5) / stretch);
      sum += exact[i];
    }
    int from = Math.max(first, strip.before());
    int to = Math.max(from, Math.min(end, strip.before() + strip.image().width()));
    int[] weights = new int[to - from];
    int around = 0;
    for (int i = 0; i < exact.length; i++) {
      double fixed = exact[i] / sum * (1 << FRACTION_BITS);
      int weight = (int) (fixed + Math.copySign(0.5, fixed));
      if (i + first < from || i + first >= to) {
        around += weight;
      } else {
        weights[i + first - from] = weight;
      }
    }
    int half = 1 << (FRACTION_BITS - 1);
    Canvas.Color color = strip.color();
    return new Taps(
        weights.length == 0 ? 0 : from - strip.before(),
        weights,
        half + around * color.sample(0),
        half + around * color.sample(1),
        half + around * color.sample(2));
  }

  /**
   * Rows with the same colour before and after them.
   *
   * @param image the rows
   * @param before how many samples of the colour come before
   * @param length samples a row with those around
   * @param color what lies around
   */
  record Strip(RgbImage image, int before, int length, Canvas.Color color) {}

  /**
   * A part of an image.
   *
   * @param left its first column
   * @param top its first row
   * @param right the column after its last
   * @param bottom the row after its last
   */
  public record Window(int left, int top, int right, int bottom) {

    int width() {
      return right - left;
    }

    int height() {
      return bottom - top;
    }
  }
}

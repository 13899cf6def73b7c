package dev.squint.processor;

import dev.squint.image.RgbImage;
import java.nio.FloatBuffer;

/**
 * Samples of 8 bits to pixel values: {@code (factor * sample - mean) / deviation}, for each of red,
 * green and blue.
 *
 * @param factor samples are multiplied by this
 * @param mean subtracted from each channel after that
 * @param deviation each channel is divided by this then
 */
public record Normalization(double factor, double[] mean, double[] deviation) {

  /** Means of CLIP. */
  public static double[] clipMean() {
    return new double[] {0.48145466, 0.4578275, 0.40821073};
  }

  /** Standard deviations of CLIP. */
  public static double[] clipDeviation() {
    return new double[] {0.26862954, 0.26130258, 0.27577711};
  }

  /** The mean that centres samples. */
  public static double[] half() {
    return new double[] {0.5, 0.5, 0.5};
  }

  /**
   * The values of all samples.
   *
   * @return for each channel those of 0 to 255
   */
  public float[][] table() {
    float[][] table = new float[3][256];
    for (int channel = 0; channel < 3; channel++) {
      for (int sample = 0; sample < 256; sample++) {
        table[channel][sample] = (float) ((factor * sample - mean[channel]) / deviation[channel]);
      }
    }
    return table;
  }

  /**
   * Appends an image, channel by channel and row by row.
   *
   * @param target has room for {@code 3 * height * width} floats
   */
  public void put(RgbImage image, FloatBuffer target) {
    float[][] table = table();
    byte[] rgb = image.rgb();
    for (int channel = 0; channel < 3; channel++) {
      for (int at = channel; at < rgb.length; at += 3) {
        target.put(table[channel][rgb[at] & 0xff]);
      }
    }
  }
}

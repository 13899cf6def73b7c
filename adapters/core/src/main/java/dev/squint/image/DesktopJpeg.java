package dev.squint.image;

import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageReadParam;
import org.opencv.core.Mat;

/**
 * The desktop library's reader of JPEG files. It tells what the native decoder would only print to
 * standard error, and gives the same samples to the bit; but it cannot read every kind.
 */
final class DesktopJpeg {

  private static final Pattern PADDED =
      Pattern.compile("Corrupt JPEG data: (\\d{1,9}) extraneous bytes before marker 0xd9");

  private DesktopJpeg() {}

  /**
   * Reads the header alone where that is enough to tell, as it is in nearly every file.
   *
   * @return whether a decoder has nothing to print about it
   * @throws ImageException if its pixels are damaged
   */
  static boolean isSilent(String name, byte[] data, Jpeg jpeg) {
    return JpegScan.isWhole(data, jpeg)
        ? isSilent(name, data, jpeg, reader -> reader.getWidth(0))
        : decodesInSilence(name, data, jpeg);
  }

  /** The same for any file: decodes all pixels once, keeping none. */
  static boolean decodesInSilence(String name, byte[] data, Jpeg jpeg) {
    return isSilent(
        name,
        data,
        jpeg,
        reader -> {
          ImageReadParam lastPixel = reader.getDefaultReadParam();
          lastPixel.setSourceRegion(new Rectangle(jpeg.width() - 1, jpeg.height() - 1, 1, 1));
          return reader.readRaster(0, lastPixel);
        });
  }

  private static boolean isSilent(
      String name, byte[] data, Jpeg jpeg, DesktopReader.Reading<?> reading) {
    List<String> warnings = new ArrayList<>();
    DesktopReader.JPEG.read(
        name,
        data,
        reader -> {
          reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
          return reading.from(reader);
        });
    for (String warning : warnings) {
      Matcher padded = PADDED.matcher(warning);
      if (!padded.matches() || !isPadding(data, jpeg.end(), Integer.parseInt(padded.group(1)))) {
        throw ImageHeader.pixelsDamaged(name);
      }
    }
    return warnings.isEmpty();
  }

  /** Whether so many bytes before the end are alike; otherwise they are pixels that got lost. */
  private static boolean isPadding(byte[] data, int end, int count) {
    for (int i = 2; i <= Math.min(count, end); i++) {
      if (data[end - i] != data[end - 1]) {
        return false;
      }
    }
    return true;
  }

  /**
   * Decodes one over which the native decoder would print.
   *
   * @return a new 8-bit BGR matrix as stored, to be released by the caller
   */
  static Mat decode(String name, byte[] data) {
    BufferedImage image = DesktopReader.JPEG.read(name, data, reader -> reader.read(0));
    Raster raster = image.getRaster();
    int bands = raster.getNumBands();
    if (bands != 1 && bands != 3) {
      throw ImageHeader.pixelsDamaged(name);
    }
    return DesktopReader.bgr(
        raster, (samples, pixel, color) -> samples[bands == 1 ? pixel : pixel + color]);
  }
}

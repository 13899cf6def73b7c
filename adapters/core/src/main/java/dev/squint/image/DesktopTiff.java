package dev.squint.image;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import org.opencv.core.Mat;

/**
 * The desktop library's reader, for TIFF files that have more samples than colours: OpenCV drops
 * those of gray images, and gives those of others multiplied by alpha or not, as it happens. Pixels
 * are laid on white.
 *
 * @param data the file
 * @param tiff what it says before its pixels
 */
record DesktopTiff(byte[] data, Tiff tiff) implements PixelDecoder {

  @Override
  public Mat decode(String name) {
    BufferedImage image = DesktopReader.TIFF.read(name, data, reader -> reader.read(0));
    Raster raster = image.getRaster();
    int bands = raster.getNumBands();
    boolean transparent =
        tiff.alpha() == Tiff.Alpha.STRAIGHT || tiff.alpha() == Tiff.Alpha.ASSOCIATED;
    int most = (1 << raster.getSampleModel().getSampleSize(0)) - 1;
    if (raster.getWidth() != tiff.width()
        || raster.getHeight() != tiff.height()
        || tiff.colors() > bands
        || transparent && tiff.alphaSample() >= bands) {
      throw ImageHeader.pixelsDamaged(name);
    }
    return DesktopReader.bgr(
        raster,
        (samples, pixel, color) -> {
          double shade = samples[pixel + (tiff.colors() == 1 ? 0 : color)] / (double) most;
          double alpha = transparent ? samples[pixel + tiff.alphaSample()] / (double) most : 1;
          double laid = tiff.alpha() == Tiff.Alpha.STRAIGHT ? shade * alpha : shade;
          return (int) Math.min(255, Math.rint(255 * (laid + 1 - alpha)));
        });
  }
}

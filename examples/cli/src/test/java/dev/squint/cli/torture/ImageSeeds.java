package dev.squint.cli.torture;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.opencv.core.Core;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.MatOfByte;
import org.opencv.core.MatOfInt;
import org.opencv.imgcodecs.Imgcodecs;

/** Small sound images in every format and form that two libraries can write. */
final class ImageSeeds {

  private static final int WIDTH = 44;
  private static final int HEIGHT = 36;
  private static final int TIFF_COMPRESSION = 259;

  private ImageSeeds() {}

  /** Those that need no native library. */
  static List<byte[]> ofDesktopLibrary() {
    List<byte[]> seeds = new ArrayList<>();
    for (int type :
        new int[] {
          BufferedImage.TYPE_INT_RGB,
          BufferedImage.TYPE_INT_ARGB,
          BufferedImage.TYPE_BYTE_GRAY,
          BufferedImage.TYPE_USHORT_GRAY,
          BufferedImage.TYPE_BYTE_BINARY,
          BufferedImage.TYPE_BYTE_INDEXED
        }) {
      for (String format : List.of("png", "jpeg", "bmp", "tiff")) {
        written(drawn(type), format, seeds);
      }
    }
    seeds.addAll(ofOwnDecoders());
    return seeds;
  }

  /** Those of formats and forms whose pixels Java decodes. */
  static List<byte[]> ofOwnDecoders() {
    List<byte[]> seeds = new ArrayList<>();
    for (int type :
        new int[] {
          BufferedImage.TYPE_BYTE_INDEXED,
          BufferedImage.TYPE_BYTE_BINARY,
          BufferedImage.TYPE_BYTE_GRAY,
          BufferedImage.TYPE_INT_ARGB
        }) {
      written(drawn(type), "gif", seeds);
    }
    for (int kind = 1; kind <= 6; kind++) {
      seeds.add(pnm(kind, 255));
      seeds.add(pnm(kind, 40_000));
    }
    for (int bits : new int[] {16, 32}) {
      seeds.add(bmp(bits, 0));
      seeds.add(bmp(bits, 3));
    }
    written(drawn(BufferedImage.TYPE_INT_ARGB), "tiff", seeds);
    return seeds;
  }

  private static byte[] pnm(int kind, int most) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    boolean bits = kind == 1 || kind == 4;
    String header = "P%d %d %d %s".formatted(kind, WIDTH, HEIGHT, bits ? "" : most + " ");
    out.writeBytes(header.getBytes(StandardCharsets.US_ASCII));
    int samples = WIDTH * HEIGHT * (kind == 3 || kind == 6 ? 3 : 1);
    for (int i = 0; i < samples; i++) {
      int sample = i * 37 % (bits ? 2 : most + 1);
      if (kind <= 3) {
        out.writeBytes((sample + (i % 17 == 0 ? "\n" : " ")).getBytes(StandardCharsets.US_ASCII));
      } else if (bits ? i % 8 == 0 : most < 256) {
        out.write(sample);
      } else if (!bits) {
        out.write(sample >> 8);
        out.write(sample);
      }
    }
    out.writeBytes(new byte[HEIGHT]);
    return out.toByteArray();
  }

  private static byte[] bmp(int bits, int compression) {
    int start = 54 + 16;
    ByteBuffer file =
        ByteBuffer.allocate(start + WIDTH * HEIGHT * bits / 8).order(ByteOrder.LITTLE_ENDIAN);
    file.put((byte) 'B').put((byte) 'M').putInt(10, start).putInt(14, 56);
    file.putInt(18, WIDTH).putInt(22, HEIGHT).putShort(28, (short) bits).putInt(30, compression);
    int[] masks =
        bits == 16
            ? new int[] {0xF00, 0xF0, 0xF, 0xF000}
            : new int[] {0xFF, 0xFF00, 0xFF0000, 0xFF000000};
    for (int i = 0; i < masks.length; i++) {
      file.putInt(54 + 4 * i, masks[i]);
    }
    for (int at = start; at < file.capacity(); at++) {
      file.put(at, (byte) (at * 31));
    }
    return file.array();
  }

  static List<byte[]> all() {
    List<byte[]> seeds = ofDesktopLibrary();
    Mat color = new Mat(HEIGHT, WIDTH, CvType.CV_8UC3);
    Core.randu(color, 0, 256);
    for (int flag : new int[] {0, 1}) {
      encoded(".jpg", color, seeds, Imgcodecs.IMWRITE_JPEG_PROGRESSIVE, flag);
      encoded(".jpg", color, seeds, Imgcodecs.IMWRITE_JPEG_RST_INTERVAL, flag);
    }
    encoded(".webp", color, seeds, Imgcodecs.IMWRITE_WEBP_QUALITY, 101);
    encoded(".webp", color, seeds, Imgcodecs.IMWRITE_WEBP_QUALITY, 50);
    for (int compression : new int[] {1, 5, 7, 8, 32773}) {
      encoded(".tiff", color, seeds, TIFF_COMPRESSION, compression);
    }
    Mat alpha = new Mat(HEIGHT, WIDTH, CvType.CV_8UC4);
    Core.randu(alpha, 0, 256);
    encoded(".webp", alpha, seeds, Imgcodecs.IMWRITE_WEBP_QUALITY, 101);
    encoded(".png", alpha, seeds);
    encoded(".tiff", alpha, seeds);
    Mat deep = new Mat(HEIGHT, WIDTH, CvType.CV_16UC3);
    Core.randu(deep, 0, 65536);
    encoded(".png", deep, seeds);
    encoded(".tiff", deep, seeds);
    Mat real = new Mat(HEIGHT, WIDTH, CvType.CV_32FC3);
    Core.randu(real, 0, 1);
    encoded(".tiff", real, seeds);
    List.of(color, alpha, deep, real).forEach(Mat::release);
    return List.copyOf(seeds);
  }

  private static BufferedImage drawn(int type) {
    BufferedImage image = new BufferedImage(WIDTH, HEIGHT, type);
    Graphics2D graphics = image.createGraphics();
    graphics.setColor(new Color(200, 60, 20, 180));
    graphics.fillRect(3, 4, 20, 15);
    graphics.setColor(Color.CYAN);
    graphics.fillOval(15, 10, 22, 20);
    graphics.dispose();
    return image;
  }

  /** Once as the writer likes it, once for each compression, and progressive where it can. */
  private static void written(BufferedImage image, String format, List<byte[]> seeds) {
    ImageWriter writer = ImageIO.getImageWritersByFormatName(format).next();
    try {
      ImageWriteParam plain = writer.getDefaultWriteParam();
      written(writer, image, plain, seeds);
      if (plain.canWriteProgressive()) {
        ImageWriteParam progressive = writer.getDefaultWriteParam();
        progressive.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
        written(writer, image, progressive, seeds);
      }
      if (plain.canWriteTiles()) {
        ImageWriteParam tiled = writer.getDefaultWriteParam();
        tiled.setTilingMode(ImageWriteParam.MODE_EXPLICIT);
        tiled.setTiling(16, 16, 0, 0);
        written(writer, image, tiled, seeds);
      }
      if (plain.canWriteCompressed() && plain.getCompressionTypes() != null) {
        for (String compression : plain.getCompressionTypes()) {
          ImageWriteParam compressed = writer.getDefaultWriteParam();
          compressed.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
          compressed.setCompressionType(compression);
          written(writer, image, compressed, seeds);
        }
      }
    } finally {
      writer.dispose();
    }
  }

  private static void written(
      ImageWriter writer, BufferedImage image, ImageWriteParam how, List<byte[]> seeds) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
      writer.setOutput(stream);
      writer.write(null, new IIOImage(image, null, null), how);
    } catch (IOException e) {
      // Not every form of image has every compression: "cannot be encoded" is all there is to say.
      return;
    }
    if (out.size() > 0) {
      seeds.add(out.toByteArray());
    }
  }

  private static void encoded(String extension, Mat image, List<byte[]> seeds, int... how) {
    MatOfByte out = new MatOfByte();
    MatOfInt parameters = new MatOfInt(how);
    try {
      if (!Imgcodecs.imencode(extension, image, out, parameters)) {
        throw new UncheckedIOException(new IOException("cannot encode " + extension));
      }
      seeds.add(out.toArray());
    } finally {
      out.release();
      parameters.release();
    }
  }
}

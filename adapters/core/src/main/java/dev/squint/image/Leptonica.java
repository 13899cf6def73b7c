package dev.squint.image;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import dev.squint.onnx.internal.io.UnpackedResource;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.URL;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leptonica's reader of JPEG files. The libjpeg-turbo in it uses vector instructions on every
 * platform that it comes for, that of OpenCV's Java packaging none: it takes half the time.
 */
final class Leptonica {

  private static final Logger LOG = LoggerFactory.getLogger(Leptonica.class);
  private static final String ROOT = "/org/bytedeco/leptonica/";
  private static final VarHandle FOUR_SAMPLES =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final int NO_MESSAGES = 6;
  private static final int BITS_OF_COLOR = 32;
  private static final int WHOLE_SIZE = 1;
  private static final int ROWS_OF_TASK = 64;

  /** So many lie next to each other in a line of the image. */
  private static final int ROWS_TURNED = 16;

  private Leptonica() {}

  /**
   * Unpacks and loads it on the first call, later ones change nothing. Where it does not come for
   * the platform, or cannot be unpacked or loaded, it decodes nothing.
   */
  static void load(Path cacheFolder) {
    if (Native.registered(Leptonica.class)) {
      return;
    }
    String platform = platform();
    Path folder = cacheFolder.toAbsolutePath().resolve("native").resolve(platform);
    try {
      Path library = folder;
      for (String file : files(platform)) {
        URL resource = Leptonica.class.getResource(ROOT + platform + "/" + file);
        if (resource == null) {
          LOG.debug("Leptonica has no {} for {}; OpenCV decodes JPEG files", file, platform);
          return;
        }
        library = new UnpackedResource(resource, folder, file).verified();
        System.load(library.toString());
      }
      Native.register(Leptonica.class, NativeLibrary.getInstance(library.toString()));
      setMsgSeverity(NO_MESSAGES);
    } catch (IOException | LinkageError e) {
      LOG.debug("Leptonica cannot be loaded from {}; OpenCV decodes JPEG files", folder, e);
    }
  }

  private static String platform() {
    String system = System.getProperty("os.name");
    String name =
        system.startsWith("Windows") ? "windows" : system.startsWith("Mac") ? "macosx" : "linux";
    return name + "-" + dev.squint.onnx.internal.io.NativeLibrary.processor("x86_64", "arm64");
  }

  /** The library, after those that it needs and the system lacks. */
  private static List<String> files(String platform) {
    if (platform.startsWith("windows")) {
      return List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libleptonica-6.dll");
    }
    return List.of(platform.startsWith("macosx") ? "libleptonica.6.dylib" : "libleptonica.so.6");
  }

  /**
   * Decodes a JPEG of three components.
   *
   * @param file a file about which a decoder has nothing to print
   * @param jpeg what its segments say
   * @param orientation how the camera was held
   * @return the image upright, empty if Leptonica cannot decode it
   */
  static Optional<RgbImage> decodeJpeg(byte[] file, Jpeg jpeg, Orientation orientation) {
    try {
      Pointer pix;
      try (Memory memory = new Memory(file.length)) {
        memory.write(0, file, 0, file.length);
        pix = pixReadMemJpeg(memory, file.length, 0, WHOLE_SIZE, null, 0);
      }
      if (pix == null) {
        return Optional.empty();
      }
      try {
        boolean fits =
            pixGetWidth(pix) == jpeg.width()
                && pixGetHeight(pix) == jpeg.height()
                && pixGetDepth(pix) == BITS_OF_COLOR;
        return fits ? Optional.of(upright(pix, jpeg, orientation)) : Optional.empty();
      } finally {
        pixDestroy(new PointerByReference(pix));
      }
    } catch (LinkageError e) {
      // It was not loaded.
      return Optional.empty();
    }
  }

  /** The samples, which lie in words: red first, in the highest bits. */
  private static RgbImage upright(Pointer pix, Jpeg jpeg, Orientation orientation) {
    int line = pixGetWpl(pix);
    IntBuffer words =
        pixGetData(pix)
            .getByteBuffer(0, 4L * line * jpeg.height())
            .order(ByteOrder.nativeOrder())
            .asIntBuffer();
    boolean turned = orientation.isTurned();
    int width = turned ? jpeg.height() : jpeg.width();
    int height = turned ? jpeg.width() : jpeg.height();
    int across = orientation.isMirrored() ? -3 : 3;
    int down = orientation.isUpsideDown() ? -3 * width : 3 * width;
    int start =
        (orientation.isMirrored() ? 3 * (width - 1) : 0)
            + (orientation.isUpsideDown() ? 3 * width * (height - 1) : 0);
    byte[] rgb = new byte[3 * width * height];
    IntStream.range(0, (jpeg.height() + ROWS_OF_TASK - 1) / ROWS_OF_TASK)
        .map(task -> task * ROWS_OF_TASK)
        .parallel()
        .forEach(
            top -> {
              int step = turned ? ROWS_TURNED : 1;
              int[] block = new int[step * line];
              int end = Math.min(top + ROWS_OF_TASK, jpeg.height());
              for (int row = top; row < end; row += step) {
                int rows = Math.min(step, end - row);
                words.get(row * line, block, 0, rows * line);
                if (turned) {
                  int at = start + row * across;
                  copy(block, jpeg.width(), 1, rows, line, rgb, at, down, across);
                } else {
                  copy(block, 1, line, jpeg.width(), 1, rgb, start + row * down, down, across);
                }
              }
            });
    return new RgbImage(width, height, rgb);
  }

  /** Copies lines of pixels: how many, a step between them, how many pixels in each, their step. */
  private static void copy(
      int[] words,
      int lines,
      int lineStep,
      int pixels,
      int pixelStep,
      byte[] rgb,
      int start,
      int down,
      int across) {
    for (int line = 0; line < lines; line++) {
      int from = line * lineStep;
      int at = start + line * down;
      int pixel = 0;
      if (pixelStep == 1 && across == 3) {
        for (; pixel <= pixels - 4; pixel += 4) {
          int second = words[from + 1];
          int third = words[from + 2];
          FOUR_SAMPLES.set(rgb, at, words[from] & ~0xFF | second >>> 24);
          FOUR_SAMPLES.set(rgb, at + 4, second << 8 & ~0xFFFF | third >>> 16);
          FOUR_SAMPLES.set(rgb, at + 8, third << 16 & 0xFF << 24 | words[from + 3] >>> 8);
          from += 4;
          at += 12;
        }
      }
      for (; pixel < pixels; pixel++) {
        int word = words[from];
        rgb[at] = (byte) (word >>> 24);
        rgb[at + 1] = (byte) (word >>> 16);
        rgb[at + 2] = (byte) (word >>> 8);
        from += pixelStep;
        at += across;
      }
    }
  }

  private static native Pointer pixReadMemJpeg(
      Pointer data, long size, int colormap, int reduction, Pointer warnings, int hint);

  private static native int pixGetWidth(Pointer pix);

  private static native int pixGetHeight(Pointer pix);

  private static native int pixGetDepth(Pointer pix);

  private static native int pixGetWpl(Pointer pix);

  private static native Pointer pixGetData(Pointer pix);

  private static native void pixDestroy(PointerByReference pix);

  private static native int setMsgSeverity(int severity);
}

package dev.squint.onnx.internal.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** What Git leaves in the place of a large file until it is asked for the file itself. */
public final class LfsPointer {

  private static final byte[] START = "version https://git-lfs".getBytes(StandardCharsets.US_ASCII);

  /** Pointers are said to be smaller than this. */
  private static final int LARGEST = 1024;

  private LfsPointer() {}

  /** Whether what a file holds is one. */
  public static boolean isOne(byte[] bytes) {
    return bytes.length < LARGEST
        && bytes.length >= START.length
        && Arrays.equals(bytes, 0, START.length, START, 0, START.length);
  }

  /** Whether a file of that size is one. */
  public static boolean isOne(Path file, long size) throws IOException {
    if (size >= LARGEST) {
      return false;
    }
    try (InputStream in = Files.newInputStream(file)) {
      return isOne(in.readNBytes(LARGEST));
    }
  }

  /** What to say of one. */
  public static String sentence(Path file) {
    return file + " is a Git LFS pointer and not the file itself: get it with git lfs pull";
  }
}

package dev.squint.models.graph;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/** Another process at the same cache. */
final class SegmentCacheMain {

  static final int LARGE = -1;

  private SegmentCacheMain() {}

  public static void main(String[] args) throws IOException {
    SegmentCache cache = new SegmentCache(Path.of(args[0]));
    if (args[1].equals("fill")) {
      fill(cache, Integer.parseInt(args[2]));
    } else {
      rewrite(cache);
    }
  }

  private static void fill(SegmentCache cache, int entries) {
    for (int i = 0; i < entries; i++) {
      byte[] content = content(i);
      if (!Arrays.equals(cache.getOrCreate(key(i), content::clone), content)) {
        System.out.println("entry " + i + " is damaged");
      }
    }
  }

  private static void rewrite(SegmentCache cache) throws IOException {
    byte[] content = content(LARGE);
    while (true) {
      cache.getOrCreate(key(LARGE), () -> content);
      Files.delete(cache.pathFor(key(LARGE)));
    }
  }

  static SegmentCache.Key key(int entry) {
    return new SegmentCache.Key("%064x".formatted(Integer.toUnsignedLong(entry)));
  }

  static byte[] content(int entry) {
    byte[] content = new byte[entry == LARGE ? 32 << 20 : 20_000 + entry];
    new Random(entry).nextBytes(content);
    return content;
  }
}

package dev.squint.evaluation.metrics;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** English contractions that lack one of their apostrophes, with the spelling that is right. */
final class Contractions {

  private static final String FILE = "contractions.txt";

  private Contractions() {}

  /** Reads the right spellings, which lie next to this class, and leaves out each apostrophe. */
  static Map<String, String> read() {
    try (InputStream stream = Contractions.class.getResourceAsStream(FILE)) {
      Map<String, String> spellings = new HashMap<>();
      for (String right :
          new String(stream.readAllBytes(), StandardCharsets.UTF_8).strip().split("\\s+")) {
        for (int i = right.indexOf('\''); i >= 0; i = right.indexOf('\'', i + 1)) {
          spellings.put(right.substring(0, i) + right.substring(i + 1), right);
        }
      }
      return Map.copyOf(spellings);
    } catch (IOException e) {
      throw new UncheckedIOException("the jar is damaged; get it again", e);
    }
  }
}

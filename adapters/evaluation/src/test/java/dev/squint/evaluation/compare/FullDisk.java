package dev.squint.evaluation.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.DataException;
import dev.squint.evaluation.internal.ResultFile;
import java.nio.file.Path;

/** Writes until it may not write more, and prints what it is told then. */
final class FullDisk {

  private static final int MORE_THAN_FITS = 1 << 20;

  private FullDisk() {}

  public static void main(String[] arguments) {
    Path folder = Path.of(arguments[0]);
    try {
      new ResultFile(folder.resolve("index.html")).write(new byte[MORE_THAN_FITS]);
    } catch (DataException e) {
      System.err.println(e.getMessage());
    }
    try (JsonlLog log = JsonlLog.open(folder.resolve("lines.jsonl"), line -> {})) {
      for (int i = 0; i < MORE_THAN_FITS; i++) {
        log.append(new ObjectMapper().createObjectNode().put("number", i));
      }
    } catch (DataException e) {
      System.err.println(e.getMessage());
    }
  }
}

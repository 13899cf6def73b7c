package dev.squint.evaluation.data;

import dev.squint.DataException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file of text.
 *
 * @param file where it lies
 */
record TextFile(Path file) {

  private static final char BYTE_ORDER_MARK = '\uFEFF';

  /** Characters looked at: a file without a line break so far is one large object, not lines. */
  private static final int LOOKED_AT = 1 << 16;

  /** UTF-8, with or without a byte order mark; anything else is refused as it is read. */
  BufferedReader reader() throws IOException {
    BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8.newDecoder()) {
              @Override
              public int read(char[] target, int offset, int length) throws IOException {
                try {
                  return super.read(target, offset, length);
                } catch (CharacterCodingException e) {
                  throw new DataException("%s is not UTF-8; save it as UTF-8".formatted(file), e);
                }
              }
            });
    try {
      reader.mark(1);
      if (reader.read() != BYTE_ORDER_MARK) {
        reader.reset();
      }
      return reader;
    } catch (IOException | DataException e) {
      reader.close();
      throw e;
    }
  }

  /** The first characters of a file. */
  String start() {
    char[] start = new char[LOOKED_AT];
    try (BufferedReader reader = reader()) {
      int length = 0;
      for (int read = 0; read >= 0 && length < start.length; length += Math.max(read, 0)) {
        read = reader.read(start, length, start.length - length);
      }
      return new String(start, 0, length).stripLeading();
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }
}

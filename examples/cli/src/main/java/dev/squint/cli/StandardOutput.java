package dev.squint.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.Locale;
import java.util.Optional;

/**
 * Where answers go. A {@link PrintWriter} keeps failures to itself; this remembers the first one.
 */
final class StandardOutput {

  /** What a shell says of a process that wrote to a pipe that nobody reads. */
  static final int READER_GONE = 141;

  private final PrintWriter writer;
  private IOException lost;

  /**
   * @param stream what is written to
   * @param charset the encoding
   */
  StandardOutput(OutputStream stream, Charset charset) {
    this.writer = new PrintWriter(new OutputStreamWriter(new Watched(stream), charset), false);
  }

  PrintWriter writer() {
    return writer;
  }

  /** What kept something from being written, all that is still buffered included. */
  Optional<IOException> lost() {
    writer.flush();
    return Optional.ofNullable(lost);
  }

  /** Whether whoever read the output has read enough, as {@code head} does. */
  static boolean readerIsGone(IOException failure) {
    return String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT).contains("broken pipe");
  }

  private final class Watched extends FilterOutputStream {

    Watched(OutputStream stream) {
      super(stream);
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        lost = lost == null ? e : lost;
        throw e;
      }
    }

    @Override
    public void flush() throws IOException {
      try {
        out.flush();
      } catch (IOException e) {
        lost = lost == null ? e : lost;
        throw e;
      }
    }
  }
}

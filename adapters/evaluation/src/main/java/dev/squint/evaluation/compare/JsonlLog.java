package dev.squint.evaluation.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.DataException;
import dev.squint.error.SquintException;
import dev.squint.evaluation.Setting;
import dev.squint.evaluation.SettingException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/**
 * A file of JSON lines that only grows. A line is written whole by one call; one that a killed
 * process left unfinished at the end is cut off when the file is opened again. One process writes
 * at a time, and never through a link. Thread-safe.
 */
final class JsonlLog implements AutoCloseable {

  private static final int BLOCK = 1 << 16;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final FileChannel channel;

  private JsonlLog(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Opens a file, or makes it, and reads the lines it has.
   *
   * @param file where it lies
   * @param line takes each line, and throws an {@link IllegalArgumentException} if it is damaged
   * @throws DataException if another process writes it, or a line is damaged
   */
  static JsonlLog open(Path file, Consumer<JsonNode> line) {
    try {
      FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              LinkOption.NOFOLLOW_LINKS);
      try {
        lock(file, channel);
        channel.truncate(wholeLines(channel));
        JsonlLog log = new JsonlLog(file, channel);
        log.read(line);
        channel.position(channel.size());
        return log;
      } catch (IOException | RuntimeException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw new SettingException(
          e, "%s cannot be opened: %s; choose another %s", file, e.getMessage(), Setting.OUTPUT);
    }
  }

  private static void lock(Path file, FileChannel channel) throws IOException {
    FileLock lock = null;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      // Held by this very process: said below, as for any other.
    }
    if (lock == null) {
      throw new SettingException(
          "%s is being written by another comparison; wait for it or choose another %s",
          file, Setting.OUTPUT);
    }
  }

  /** Bytes up to and with the last line break. */
  private static long wholeLines(FileChannel channel) throws IOException {
    long end = channel.size();
    ByteBuffer block = ByteBuffer.allocate(BLOCK);
    while (end > 0) {
      long start = Math.max(0, end - BLOCK);
      block.clear().limit((int) (end - start));
      int read = 0;
      while (read >= 0 && block.hasRemaining()) {
        read = channel.read(block, start + block.position());
      }
      for (int i = block.position() - 1; i >= 0; i--) {
        if (block.get(i) == '\n') {
          return start + i + 1;
        }
      }
      end = start;
    }
    return 0;
  }

  private void read(Consumer<JsonNode> line) throws IOException {
    // Closing the reader would close the channel and end the lock.
    BufferedReader reader =
        new BufferedReader(Channels.newReader(channel.position(0), StandardCharsets.UTF_8), BLOCK);
    long number = 0;
    for (String text = reader.readLine(); text != null; text = reader.readLine()) {
      number++;
      JsonNode node;
      try {
        node = JSON.readTree(text);
      } catch (JsonProcessingException e) {
        node = null;
      }
      if (node == null || !node.isObject()) {
        throw damaged(number, null);
      }
      try {
        line.accept(node);
      } catch (IllegalArgumentException | SquintException e) {
        throw damaged(number, e);
      }
    }
  }

  private DataException damaged(long number, RuntimeException cause) {
    return new DataException(
        "line %d of %s is damaged; delete that line and start again".formatted(number, file),
        cause);
  }

  /** Appends a line. */
  void append(ObjectNode line) {
    try {
      ByteBuffer bytes =
          ByteBuffer.wrap((JSON.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8));
      synchronized (channel) {
        write(bytes);
      }
    } catch (IOException e) {
      throw new DataException(
          "%s cannot be written: %s; make room on the disk and start again, what it holds is kept"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  private void write(ByteBuffer bytes) throws IOException {
    long start = channel.position();
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      // The start of a line would spoil the one that follows.
      channel.truncate(start);
      throw e;
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be closed".formatted(file), e);
    }
  }
}

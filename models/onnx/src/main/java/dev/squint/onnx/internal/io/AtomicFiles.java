package dev.squint.onnx.internal.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that are there whole or not at all, on the disk before they have their name. What is
 * unfinished lies in a {@link WorkFolder} next to its place; a power failure or a killed process
 * leaves nothing else.
 */
public final class AtomicFiles {

  private static final Logger LOG = LoggerFactory.getLogger(AtomicFiles.class);

  private AtomicFiles() {}

  /** Fills a new file. */
  @FunctionalInterface
  public interface Content {
    /** Writes all of it. */
    void writeTo(FileChannel file) throws IOException;
  }

  /**
   * Makes a file anew and waits until the disk has it. After a failure it may be there in part, so
   * this is for files in a folder that is not at its place yet.
   *
   * @param file where it goes
   * @param content fills it
   * @throws IOException if it cannot be written, or if its name is taken: a file or a link to one
   *     stays as it is
   */
  public static void create(Path file, Content content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
      content.writeTo(channel);
      channel.force(true);
    }
  }

  /**
   * Makes a file anew, as {@link #create(Path, Content)} does.
   *
   * @param content all of it
   * @throws IOException if it cannot be written, or if its name is taken
   */
  public static void create(Path file, byte[] content) throws IOException {
    create(
        file,
        channel -> {
          ByteBuffer bytes = ByteBuffer.wrap(content);
          while (bytes.hasRemaining()) {
            channel.write(bytes);
          }
        });
  }

  /**
   * Writes a file in the place of the one that may be there, a link to one included.
   *
   * @param file where it goes, in a folder that exists
   * @param content all of it
   * @throws IOException if it cannot be written; what was there is there still
   */
  public static void replace(Path file, byte[] content) throws IOException {
    try (WorkFolder work = WorkFolder.nextTo(file)) {
      Path fresh = work.path().resolve("fresh");
      create(fresh, content);
      move(fresh, file);
    }
  }

  /**
   * Why a file cannot be written to a place, for people; empty if it can.
   *
   * @param file where it is to go
   */
  public static Optional<String> obstacle(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      return Optional.of("there is no folder " + folder + "; create it first");
    }
    if (Files.exists(file) && !Files.isWritable(file)) {
      return Optional.of("you may not change it; name another file");
    }
    try (WorkFolder work = WorkFolder.nextTo(file)) {
      LOG.debug("{} can be written", work.path());
      return Optional.empty();
    } catch (IOException e) {
      LOG.debug("{} cannot be written: {}", file, e.toString());
      return Optional.of("you may not write there; choose another folder");
    }
  }

  /** Gives a file or folder its place in one step, and waits until the disk has its name. */
  public static void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    forceNames(to.toAbsolutePath().getParent());
  }

  /** Puts a folder in the place of another, which comes back if that fails. */
  public static void exchange(Path fresh, Path target) throws IOException {
    try (WorkFolder aside = WorkFolder.nextTo(target)) {
      Path old = aside.path().resolve("old");
      Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
      try {
        move(fresh, target);
      } catch (IOException e) {
        Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
        throw e;
      }
    }
  }

  /** Waits until the disk has the names in a folder, where the operating system can do that. */
  public static void forceNames(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      // Windows opens no folders, and keeps their entries in a journal.
      LOG.debug("the entries of {} are not forced to the disk: {}", folder, e.toString());
    }
  }
}

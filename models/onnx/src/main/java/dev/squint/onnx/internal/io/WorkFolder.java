package dev.squint.onnx.internal.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder in which something is written that is to be renamed to its place once it is whole. A
 * file next to it is there and locked before the folder is and until it is renamed or removed, and
 * the operating system ends the lock with the process: so what killed processes have left is told
 * from what others are writing, and removed by the next one. Where there are no locks, left is what
 * has not changed for an hour.
 */
public final class WorkFolder implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(WorkFolder.class);
  private static final String SUFFIX = ".squint-part";
  private static final String LOCK = ".lock";
  private static final Pattern NAME =
      Pattern.compile(
          "(\\..+\\.(\\p{XDigit}{8}(?:-\\p{XDigit}{4}){3}-\\p{XDigit}{12})\\.squint-part)(\\.lock)?");

  /** Characters of the name of the place, which may be as long as a name can be. */
  private static final int SHOWN = 40;

  private static final Duration ABANDONED = Duration.ofHours(1);

  /**
   * First half of the name of every folder of this process. Its own folders must not be looked at:
   * closing a file ends all locks that the process has on it.
   */
  private static final long PROCESS = UUID.randomUUID().getMostSignificantBits();

  private final Path path;
  private final FileChannel lock;

  private WorkFolder(Path path, FileChannel lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Makes a folder next to the place where its content is to go, and removes those that were left
   * there.
   *
   * @param target the place; its folder has to exist
   * @return the folder, to be closed by the caller
   */
  public static WorkFolder nextTo(Path target) throws IOException {
    removeAbandoned(target.toAbsolutePath().getParent());
    while (true) {
      Path path = nameNextTo(target);
      FileChannel lock =
          FileChannel.open(lockOf(path), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      WorkFolder work = new WorkFolder(path, lock);
      try {
        // Another process may have taken the file for a left one before it was locked.
        if (isHeld(lock) && Files.exists(lockOf(path))) {
          Files.createDirectory(path);
          return work;
        }
        work.close();
      } catch (IOException | RuntimeException e) {
        work.close();
        throw e;
      }
    }
  }

  private static Path lockOf(Path folder) {
    return folder.resolveSibling(folder.getFileName() + LOCK);
  }

  private static boolean isHeld(FileChannel lock) {
    try {
      return lock.tryLock() != null;
    } catch (IOException e) {
      LOG.debug("no locks here, what is left is known by its age: {}", e.toString());
      return true;
    }
  }

  /** A name that nothing else has. */
  private static Path nameNextTo(Path target) {
    UUID id = new UUID(PROCESS, ThreadLocalRandom.current().nextLong());
    String name = target.getFileName().toString();
    String known =
        name.substring(
            0, name.offsetByCodePoints(0, Math.min(SHOWN, name.codePointCount(0, name.length()))));
    return target.resolveSibling("." + known + "." + id + SUFFIX);
  }

  /** The folder. */
  public Path path() {
    return path;
  }

  /** Removes the folder if it has not been renamed. */
  @Override
  public void close() throws IOException {
    try (lock) {
      remove(path);
    }
  }

  private static void removeAbandoned(Path parent) {
    try (DirectoryStream<Path> left = Files.newDirectoryStream(parent, WorkFolder::isOfOthers)) {
      for (Path folder : left) {
        try {
          removeIfAbandoned(folder);
        } catch (IOException e) {
          LOG.debug("{} stays: {}", folder, e.toString());
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.debug("what was left in {} stays: {}", parent, e.toString());
    }
  }

  private static boolean isOfOthers(Path path) {
    Matcher name = NAME.matcher(path.getFileName().toString());
    return name.matches()
        && UUID.fromString(name.group(2)).getMostSignificantBits() != PROCESS
        && Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS) == (name.group(3) == null);
  }

  private static void removeIfAbandoned(Path found) throws IOException {
    Matcher name = NAME.matcher(found.getFileName().toString());
    if (!name.matches()) {
      return;
    }
    Path folder = found.resolveSibling(name.group(1));
    try (FileChannel lock =
        FileChannel.open(lockOf(folder), StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
      if (lock.tryLock() != null && Files.exists(lockOf(folder))) {
        remove(folder);
      }
    } catch (OverlappingFileLockException e) {
      LOG.debug("{} is being written", folder);
    } catch (IOException e) {
      if (lastChange(found).toInstant().isBefore(Instant.now().minus(ABANDONED))) {
        remove(folder);
      }
    }
  }

  private static void remove(Path folder) throws IOException {
    delete(folder);
    Files.deleteIfExists(lockOf(folder));
  }

  /**
   * Removes a file, or a folder with all that is in it. Links are removed and not followed; what is
   * not there, or not any more, is passed over.
   */
  public static void delete(Path path) throws IOException {
    if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      try (DirectoryStream<Path> all = Files.newDirectoryStream(path)) {
        for (Path inner : all) {
          delete(inner);
        }
      } catch (NoSuchFileException e) {
        return;
      } catch (DirectoryIteratorException e) {
        throw e.getCause();
      }
    }
    Files.deleteIfExists(path);
  }

  private static FileTime lastChange(Path folder) throws IOException {
    FileTime last = Files.getLastModifiedTime(folder, LinkOption.NOFOLLOW_LINKS);
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      return last;
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
      for (Path path : all) {
        FileTime changed = lastChange(path);
        last = changed.compareTo(last) > 0 ? changed : last;
      }
    } catch (NoSuchFileException e) {
      return FileTime.from(Instant.now());
    }
    return last;
  }
}

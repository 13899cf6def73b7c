package dev.squint.models;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder whose entries are to outlast a power failure.
 *
 * @param path the folder
 */
record DurableFolder(Path path) {

  private static final Logger LOG = LoggerFactory.getLogger(DurableFolder.class);

  /** Waits until the disk has the names in it, where the operating system can do that. */
  void force() {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      // Windows opens no folders, and keeps their entries in a journal.
      LOG.debug("the entries of {} are not forced to the disk: {}", path, e.toString());
    }
  }
}

package dev.squint.models;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.CRC32;

/**
 * A file of the class path that native code wants on the disk, unpacked into a cache. Whenever it
 * is asked for, size and CRC-32 of the unpacked file are compared with those that the jar states; a
 * file that was cut short, zeroed or otherwise changed is unpacked again. That costs one reading of
 * the file, 20 ms for 65 MB that the operating system has in memory, and catches all but what is
 * changed on purpose: who can write to the cache is trusted.
 *
 * <p>The file appears whole or not at all, on the disk before it has its name, and it takes the
 * place of a damaged one in one step: any number of processes may ask at once.
 *
 * @param resource what is unpacked
 * @param folder where it goes; what is unfinished lies beside this folder and not in it
 * @param path its path in the folder
 */
public record UnpackedResource(URL resource, Path folder, String path) {

  private static final int BLOCK = 1 << 20;

  private record Content(long bytes, long crc) {}

  /**
   * Unpacks the file unless it is there, whole.
   *
   * @return the file
   * @throws IOException if it has to be unpacked and cannot be written
   * @throws ModelException if the jar is damaged
   */
  public Path verified() throws IOException {
    Content expected = expected();
    Path file = folder.resolve(path);
    if (!isWhole(file, expected)) {
      unpack(file, expected);
    }
    return file;
  }

  private Content expected() throws IOException {
    URLConnection connection = resource.openConnection();
    connection.setUseCaches(false);
    if (connection instanceof JarURLConnection inJar) {
      try (JarFile jar = inJar.getJarFile()) {
        JarEntry entry = inJar.getJarEntry();
        if (entry.getSize() >= 0 && entry.getCrc() >= 0) {
          return new Content(entry.getSize(), entry.getCrc());
        }
      }
    }
    try (ReadableByteChannel channel = Channels.newChannel(resource.openStream())) {
      return content(channel);
    }
  }

  private static boolean isWhole(Path file, Content expected) throws IOException {
    if (!Files.isRegularFile(file) || Files.size(file) != expected.bytes()) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return content(channel).equals(expected);
    }
  }

  private static Content content(ReadableByteChannel channel) throws IOException {
    CRC32 crc = new CRC32();
    long bytes = 0;
    ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
    while (channel.read(block) >= 0) {
      block.flip();
      bytes += block.remaining();
      crc.update(block);
      block.clear();
    }
    return new Content(bytes, crc.getValue());
  }

  private void unpack(Path file, Content expected) throws IOException {
    Path parent = file.toAbsolutePath().getParent();
    Files.createDirectories(parent);
    try (WorkFolder work = WorkFolder.beside(folder)) {
      Path fresh = work.path().resolve(file.getFileName());
      if (!write(fresh).equals(expected)) {
        throw new ModelException("%s is damaged in its jar; get the jar again".formatted(path));
      }
      if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
        Files.move(file, work.path().resolve("folder"), StandardCopyOption.ATOMIC_MOVE);
      }
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
      new DurableFolder(parent).force();
    }
  }

  private Content write(Path fresh) throws IOException {
    CRC32 crc = new CRC32();
    try (InputStream in = resource.openStream();
        FileChannel out =
            FileChannel.open(fresh, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      byte[] block = new byte[BLOCK];
      for (int read = in.read(block); read >= 0; read = in.read(block)) {
        crc.update(block, 0, read);
        ByteBuffer bytes = ByteBuffer.wrap(block, 0, read);
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
      }
      out.force(true);
      return new Content(out.size(), crc.getValue());
    }
  }
}

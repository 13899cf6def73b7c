package dev.squint.onnx.internal.io;

import dev.squint.error.ModelException;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
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
 * place of a damaged one in one step: any number of processes may ask at once. A thread that has
 * been interrupted unpacks all the same and stays interrupted.
 *
 * @param resource what is unpacked
 * @param folder where it goes; what is unfinished lies next to this folder and not in it
 * @param path its path in the folder
 */
public record UnpackedResource(URL resource, Path folder, String path) {

  private static final int BLOCK = 1 << 16;

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
        JarEntry entry = jar.getJarEntry(inJar.getEntryName());
        if (entry.getSize() >= 0 && entry.getCrc() >= 0) {
          return new Content(entry.getSize(), entry.getCrc());
        }
      }
    }
    try (InputStream in = resource.openStream()) {
      return transfer(in, OutputStream.nullOutputStream());
    }
  }

  private static boolean isWhole(Path file, Content expected) throws IOException {
    if (!Files.isRegularFile(file) || Files.size(file) != expected.bytes()) {
      return false;
    }
    try (InputStream in = new FileInputStream(file.toFile())) {
      return transfer(in, OutputStream.nullOutputStream()).equals(expected);
    }
  }

  private static Content transfer(InputStream in, OutputStream out) throws IOException {
    CRC32 crc = new CRC32();
    long bytes = 0;
    byte[] block = new byte[BLOCK];
    for (int read = in.read(block); read >= 0; read = in.read(block)) {
      crc.update(block, 0, read);
      out.write(block, 0, read);
      bytes += read;
    }
    return new Content(bytes, crc.getValue());
  }

  private void unpack(Path file, Content expected) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    try (WorkFolder work = WorkFolder.nextTo(folder)) {
      Path fresh = work.path().resolve(file.getFileName());
      if (!write(fresh).equals(expected)) {
        throw new ModelException("%s is damaged in its jar; get the jar again".formatted(path));
      }
      if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
        Files.move(file, work.path().resolve("folder"), StandardCopyOption.ATOMIC_MOVE);
      }
      AtomicFiles.move(fresh, file);
    }
  }

  private Content write(Path fresh) throws IOException {
    try (InputStream in = resource.openStream();
        FileOutputStream out = new FileOutputStream(fresh.toFile())) {
      Content written = transfer(in, out);
      out.getFD().sync();
      return written;
    }
  }
}

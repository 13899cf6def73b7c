package dev.squint.hub;

import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.io.Printable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Downloads one file into the blobs of a cache. What has arrived lies under a name of its own until
 * it is whole and its hash is right, and a later attempt, or a later process, goes on from there.
 */
final class Download {

  private static final Logger LOG = LoggerFactory.getLogger(Download.class);
  private static final String UNFINISHED = ".incomplete";
  private static final int BLOCK = 1 << 16;
  private static final long LOCKED_MILLIS = 100;

  private final HubClient client;
  private final HubOptions options;
  private final ScheduledExecutorService clock;
  private final LongConsumer arrived;

  /**
   * @param clock ends what has fallen silent
   * @param arrived is told how many bytes came, less than none where they were for nothing
   */
  Download(
      HubClient client, HubOptions options, ScheduledExecutorService clock, LongConsumer arrived) {
    this.client = client;
    this.options = options;
    this.clock = clock;
    this.arrived = arrived;
  }

  /** How many bytes of a file are there from an earlier attempt. */
  static long begun(HubCache cache, HubFile file) {
    Path part = unfinished(cache, file);
    try {
      return Files.exists(part) ? Math.min(Files.size(part), file.size()) : 0;
    } catch (IOException e) {
      return 0;
    }
  }

  private static Path unfinished(HubCache cache, HubFile file) {
    Path blob = cache.blob(file.hash());
    return blob.resolveSibling(blob.getFileName() + UNFINISHED);
  }

  /**
   * Downloads a file, unless it is there.
   *
   * @param address of the file below the endpoint
   * @throws HubException if it cannot be had
   */
  @SuppressWarnings("try")
  void fetch(HubCache cache, HubFile file, String address) throws InterruptedException {
    Path blob = cache.blob(file.hash());
    Path lock = cache.locks().resolve(file.hash() + ".lock");
    try {
      Files.createDirectories(blob.getParent());
      Files.createDirectories(lock.getParent());
      try (FileChannel channel =
              FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock held = locked(channel)) {
        if (!Files.exists(blob)) {
          attempts(cache, file, address);
        }
      }
    } catch (UncheckedIOException e) {
      throw HubCache.failed(blob, e.getCause());
    } catch (IOException e) {
      throw HubCache.failed(blob, e);
    }
  }

  /** Waits for whoever downloads the same file, in this process or another. */
  private static FileLock locked(FileChannel channel) throws IOException, InterruptedException {
    while (true) {
      try {
        FileLock lock = channel.tryLock();
        if (lock != null) {
          return lock;
        }
      } catch (OverlappingFileLockException e) {
        // A thread of this process has it.
      }
      Thread.sleep(LOCKED_MILLIS);
    }
  }

  private void attempts(HubCache cache, HubFile file, String address)
      throws IOException, InterruptedException {
    Path part = unfinished(cache, file);
    try {
      Attempts.of(
          options,
          () -> {
            transfer(part, file, address);
            return Files.move(part, cache.blob(file.hash()), StandardCopyOption.ATOMIC_MOVE);
          });
    } catch (IOException e) {
      throw new HubException(
          e instanceof HubClient.Passing ? Kind.OVERLOAD : Kind.INTERNAL,
          "%s could not be downloaded: %s, %d times over; try again, it goes on where it stopped"
              .formatted(
                  file.path(), Printable.of(String.valueOf(e.getMessage())), options.attempts()),
          e);
    }
  }

  private void transfer(Path part, HubFile file, String address)
      throws IOException, InterruptedException {
    try (FileChannel out = open(part)) {
      long have = out.size();
      if (have > file.size()) {
        have = restart(out);
      }
      if (have < file.size()) {
        have = receive(out, have, file, address);
      }
      if (have < file.size()) {
        throw new IOException("it ended after %,d of %,d bytes".formatted(have, file.size()));
      }
      out.force(true);
    }
    if (!file.isIn(part)) {
      Files.delete(part);
      arrived.accept(-file.size());
      throw new IOException("its content is not what the hub lists");
    }
  }

  /** What fails on this machine, which no further attempt mends, is thrown unchecked. */
  private static FileChannel open(Path part) {
    try {
      return FileChannel.open(
          part, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private long restart(FileChannel out) throws IOException {
    arrived.accept(-out.size());
    out.truncate(0);
    return 0;
  }

  private long receive(FileChannel out, long from, HubFile file, String address)
      throws IOException, InterruptedException {
    HttpResponse<InputStream> response = client.get(address, from);
    long have = from;
    try (InputStream body = response.body();
        Silence silence = new Silence(body)) {
      boolean goesOn =
          response.statusCode() == 206
              && response
                  .headers()
                  .firstValue("Content-Range")
                  .filter(range -> range.startsWith("bytes " + from + "-"))
                  .isPresent();
      if (from > 0 && !goesOn) {
        have = restart(out);
        if (response.statusCode() != 200) {
          throw new IOException("the hub could not go on where it stopped");
        }
      }
      out.position(have);
      byte[] block = new byte[BLOCK];
      for (int read = body.read(block); read >= 0; read = body.read(block)) {
        silence.broken();
        if (have + read > file.size()) {
          restart(out);
          throw new IOException("it has more than its %,d bytes".formatted(file.size()));
        }
        write(out, block, read);
        have += read;
        arrived.accept(read);
      }
    }
    return have;
  }

  private static void write(FileChannel out, byte[] block, int length) {
    ByteBuffer bytes = ByteBuffer.wrap(block, 0, length);
    try {
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Closes a body that has sent nothing for too long, which ends whoever reads it. */
  private final class Silence implements AutoCloseable {

    private final ScheduledFuture<?> watch;
    private volatile long heard = System.nanoTime();

    Silence(InputStream body) {
      long most = options.patience().toNanos();
      watch =
          clock.scheduleWithFixedDelay(
              () -> {
                if (System.nanoTime() - heard > most) {
                  close(body);
                }
              },
              most / 4,
              most / 4,
              TimeUnit.NANOSECONDS);
    }

    private static void close(InputStream body) {
      try {
        body.close();
      } catch (IOException e) {
        LOG.debug("a download that had fallen silent could not be closed", e);
      }
    }

    void broken() {
      heard = System.nanoTime();
    }

    @Override
    public void close() {
      watch.cancel(true);
    }
  }
}

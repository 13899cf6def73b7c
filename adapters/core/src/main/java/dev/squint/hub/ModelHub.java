package dev.squint.hub;

import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.io.Printable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Gets models from a hub into the cache that all of a user's programs share. Only the files that a
 * question needs are downloaded, several at a time; each is checked against its hash, and none is
 * under its name before it is whole.
 *
 * <pre>{@code
 * Path folder = new ModelHub(HubOptions.defaults()).pull("onnx-community/SmolVLM-256M-Instruct");
 * }</pre>
 */
public final class ModelHub {

  /** The revision that is meant where none is named. */
  public static final String MAIN = "main";

  private static final Pattern REPOSITORY =
      Pattern.compile("[\\w][\\w.-]{0,95}/[\\w][\\w.-]{0,95}");

  private static final Pattern REVISION = Pattern.compile("[\\w][\\w.-]*(?:/[\\w][\\w.-]*)*");
  private static final int LONGEST_REVISION = 200;

  private final HubOptions options;

  /** A hub. */
  public ModelHub(HubOptions options) {
    this.options = options;
  }

  /** Whether a text can be the name of a repository, {@code OWNER/NAME}. */
  public static boolean isName(String text) {
    return REPOSITORY.matcher(text).matches() && !text.contains("--") && !text.contains("..");
  }

  /** Gets the newest of a model's most exact graphs. */
  public Path pull(String repository) {
    return pull(repository, MAIN, "", HubListener.NONE);
  }

  /**
   * Gets a model.
   *
   * @param repository {@code OWNER/NAME}
   * @param revision a branch, tag or commit
   * @param precision suffix of the graphs, such as {@code q4}; empty for the most exact
   * @param listener is told how far it has come
   * @return the model's folder, to be read only
   * @throws HubException if there is no such model, or it cannot be had or written
   */
  public Path pull(String repository, String revision, String precision, HubListener listener) {
    if (!isName(repository)) {
      throw new HubException(
          Kind.BAD_REQUEST,
          "'%s' is no model on a hub; name one as OWNER/NAME".formatted(Printable.of(repository)));
    }
    if (revision.length() > LONGEST_REVISION
        || !REVISION.matcher(revision).matches()
        || revision.contains("..")) {
      throw new HubException(
          Kind.BAD_REQUEST,
          "'%s' is no revision; name a branch, a tag or a commit"
              .formatted(Printable.of(revision)));
    }
    HubCache cache = HubCache.of(options, repository);
    try {
      return pull(repository, revision, precision, listener, cache);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HubException(
          Kind.INTERNAL,
          "the download of %s was interrupted; try again, it goes on where it stopped"
              .formatted(repository),
          e);
    }
  }

  private Path pull(
      String repository, String revision, String precision, HubListener listener, HubCache cache)
      throws InterruptedException {
    Optional<Path> known =
        cache.known(revision).filter(folder -> isWhole(repository, folder, precision));
    if (options.offline()) {
      return known.orElseThrow(
          () ->
              new HubException(
                  Kind.BAD_REQUEST,
                  "%s is not in %s in this precision, and the hub is switched off; download it first, or unset HF_HUB_OFFLINE"
                      .formatted(repository, options.cache())));
    }
    if (known.isPresent() && Listing.COMMIT.matcher(revision).matches()) {
      return known.get();
    }
    HubClient client = new HubClient(options);
    Listing listing;
    try {
      listing = listing(client, repository, revision);
    } catch (IOException e) {
      if (known.isPresent()) {
        listener.onNote(
            "the hub is not reached (%s); %s is used as it was downloaded last"
                .formatted(Printable.of(String.valueOf(e.getMessage())), repository));
        return known.get();
      }
      throw new HubException(
          Kind.INTERNAL,
          "the hub %s is not reached: %s; check the network and HF_ENDPOINT"
              .formatted(options.endpoint(), Printable.of(reason(e))),
          e);
    }
    List<HubFile> needed = NeededFiles.of(repository, listing.files(), precision);
    download(client, repository, listing.commit(), needed, cache, listener);
    needed.forEach(file -> cache.link(listing.commit(), file));
    cache.refer(revision, listing.commit());
    return cache.snapshot(listing.commit());
  }

  private static String reason(IOException e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  private Listing listing(HubClient client, String repository, String revision)
      throws IOException, InterruptedException {
    String path =
        "api/models/%s/revision/%s?blobs=true"
            .formatted(repository, URLEncoder.encode(revision, StandardCharsets.UTF_8));
    return Attempts.of(
        options,
        // Nobody is there: a wrong address, or no network.
        e -> !(e instanceof ConnectException),
        () -> Listing.of(repository, client.json(path)));
  }

  private void download(
      HubClient client,
      String repository,
      String commit,
      List<HubFile> needed,
      HubCache cache,
      HubListener listener)
      throws InterruptedException {
    List<HubFile> missing =
        needed.stream()
            .collect(Collectors.toMap(HubFile::hash, file -> file, (one, same) -> one))
            .values()
            .stream()
            .filter(file -> !Files.exists(cache.blob(file.hash())))
            .sorted((one, other) -> Long.compare(other.size(), one.size()))
            .toList();
    listener.onStart(
        missing.size(),
        missing.stream().mapToLong(file -> file.size() - Download.begun(cache, file)).sum());
    if (missing.isEmpty()) {
      return;
    }
    Progress progress = new Progress(listener);
    ExecutorService workers = Executors.newFixedThreadPool(options.parallel(), daemon());
    ScheduledExecutorService clock = Executors.newScheduledThreadPool(1, daemon());
    try {
      Download download = new Download(client, options, clock, progress::add);
      List<Future<?>> running = new ArrayList<>();
      for (HubFile file : missing) {
        String address = "%s/resolve/%s/%s".formatted(repository, commit, encoded(file.path()));
        running.add(
            workers.submit(
                () -> {
                  download.fetch(cache, file, address);
                  return null;
                }));
      }
      for (Future<?> one : running) {
        await(one);
      }
    } finally {
      workers.shutdownNow();
      // Nothing may still be written once this has returned.
      workers.awaitTermination(options.patience().toMillis(), TimeUnit.MILLISECONDS);
      clock.shutdownNow();
    }
  }

  private static void await(Future<?> one) throws InterruptedException {
    try {
      one.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failed) {
        throw failed;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  private static String encoded(String path) {
    return Arrays.stream(path.split("/"))
        .map(step -> URLEncoder.encode(step, StandardCharsets.UTF_8).replace("+", "%20"))
        .collect(Collectors.joining("/"));
  }

  private static ThreadFactory daemon() {
    return work -> {
      Thread thread = new Thread(work, "squint-hub");
      thread.setDaemon(true);
      return thread;
    };
  }

  /** Adds up what several threads have received. */
  private static final class Progress {

    private final HubListener listener;
    private long bytes;

    Progress(HubListener listener) {
      this.listener = listener;
    }

    synchronized void add(long further) {
      bytes += further;
      listener.onProgress(bytes);
    }
  }

  /** Whether a folder holds all graphs of a precision, with their data. */
  private static boolean isWhole(String repository, Path folder, String precision) {
    Map<String, HubFile> there = new HashMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      files
          .filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString().replace('\\', '/'))
          .forEach(path -> there.put(path, new HubFile(path, 0, "")));
    } catch (IOException e) {
      throw HubCache.failed(folder, e);
    }
    try {
      List<String> paths =
          NeededFiles.of(repository, there, precision).stream().map(HubFile::path).toList();
      return paths.contains("config.json")
          && (precision.isEmpty()
              || paths.stream().anyMatch(path -> path.endsWith("_" + precision + ".onnx"))
              || precision.equals("fp32"));
    } catch (HubException e) {
      return false;
    }
  }
}

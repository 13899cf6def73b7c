package dev.squint.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.squint.onnx.internal.io.Sha256;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** A hub on this machine, with one repository, that misbehaves where it is told to. */
final class FakeHub implements AutoCloseable {

  static final String REPOSITORY = "someone/model";
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  private static final int SMALL = 1000;

  /** What it does with one request for a file, instead of answering. */
  interface Misdeed {
    /** Answers, or returns false for the file to be served as it should. */
    boolean done(HttpExchange exchange, byte[] content) throws IOException;
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, byte[]> files = new TreeMap<>();
  private final Map<String, Queue<Misdeed>> misdeeds = new ConcurrentHashMap<>();
  final List<String> requests = Collections.synchronizedList(new ArrayList<>());
  final List<String> tokens = Collections.synchronizedList(new ArrayList<>());
  final AtomicInteger atOnce = new AtomicInteger();
  final AtomicInteger mostAtOnce = new AtomicInteger();
  volatile String listed;

  FakeHub() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  FakeHub file(String path, byte[] content) {
    files.put(path, content);
    return this;
  }

  FakeHub file(String path, String content) {
    return file(path, content.getBytes(StandardCharsets.UTF_8));
  }

  /** The next request for a file comes to this; several come one after the other. */
  FakeHub misdeed(String path, Misdeed misdeed) {
    misdeeds.computeIfAbsent(path, key -> new ConcurrentLinkedQueue<>()).add(misdeed);
    return this;
  }

  String address(String host) {
    return "http://%s:%d".formatted(host, server.getAddress().getPort());
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      requests.add(path + range(exchange));
      tokens.add(
          exchange.getRequestHeaders().getFirst("Host").replaceAll(":.*", "")
              + " "
              + exchange.getRequestHeaders().getFirst("Authorization"));
      if (path.startsWith("/api/models/")) {
        list(exchange, path);
        return;
      }
      String prefix =
          path.startsWith("/cdn/") ? "/cdn/" : "/" + REPOSITORY + "/resolve/" + COMMIT + "/";
      byte[] content = path.startsWith(prefix) ? files.get(path.substring(prefix.length())) : null;
      if (content == null) {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
      try {
        Misdeed next =
            misdeeds
                .getOrDefault(path.substring(prefix.length()), new ConcurrentLinkedQueue<>())
                .poll();
        if (next == null || !next.done(exchange, content)) {
          serve(exchange, content);
        }
      } finally {
        atOnce.decrementAndGet();
      }
    }
  }

  private static String range(HttpExchange exchange) {
    String range = exchange.getRequestHeaders().getFirst("Range");
    return range == null ? "" : " " + range;
  }

  private void list(HttpExchange exchange, String path) throws IOException {
    if (!path.startsWith("/api/models/" + REPOSITORY + "/revision/")) {
      exchange.sendResponseHeaders(404, -1);
      return;
    }
    Misdeed next = misdeeds.getOrDefault("list", new ConcurrentLinkedQueue<>()).poll();
    byte[] answer = listed == null ? listing() : listed.getBytes(StandardCharsets.UTF_8);
    if (next == null || !next.done(exchange, answer)) {
      send(exchange, 200, answer, 0);
    }
  }

  private byte[] listing() throws IOException {
    List<Map<String, Object>> siblings = new ArrayList<>();
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      Map<String, Object> one = new LinkedHashMap<>();
      byte[] content = file.getValue();
      one.put("rfilename", file.getKey());
      one.put("size", content.length);
      one.put("blobId", gitHash(content));
      if (content.length > SMALL) {
        one.put("lfs", Map.of("sha256", Sha256.of(content), "size", content.length));
      }
      siblings.add(one);
    }
    return new ObjectMapper().writeValueAsBytes(Map.of("sha", COMMIT, "siblings", siblings));
  }

  static String gitHash(byte[] content) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-1");
      digest.update(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
      return HexFormat.of().formatHex(digest.digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static void serve(HttpExchange exchange, byte[] content) throws IOException {
    String range = exchange.getRequestHeaders().getFirst("Range");
    if (range == null) {
      send(exchange, 200, content, 0);
      return;
    }
    int from = Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
    exchange
        .getResponseHeaders()
        .set("Content-Range", "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
    send(exchange, 206, content, from);
  }

  static void send(HttpExchange exchange, int status, byte[] content, int from) throws IOException {
    exchange.sendResponseHeaders(status, content.length - from);
    exchange.getResponseBody().write(content, from, content.length - from);
  }

  /** Breaks off in the middle. */
  static Misdeed dropping() {
    return (exchange, content) -> {
      exchange.sendResponseHeaders(200, content.length);
      exchange.getResponseBody().write(content, 0, content.length / 2);
      exchange.getResponseBody().flush();
      return true;
    };
  }

  static Misdeed status(int status, String header, String value) {
    return (exchange, content) -> {
      if (header != null) {
        exchange.getResponseHeaders().set(header, value);
      }
      exchange.sendResponseHeaders(status, -1);
      return true;
    };
  }

  /** Sends as many bytes, but others. */
  static Misdeed lying() {
    return (exchange, content) -> {
      byte[] other = Arrays.copyOf(content, content.length);
      other[content.length / 2] ^= 1;
      serve(exchange, other);
      return true;
    };
  }

  /** Sends more than there is. */
  static Misdeed longer() {
    return (exchange, content) -> {
      serve(exchange, Arrays.copyOf(content, content.length + 10));
      return true;
    };
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}

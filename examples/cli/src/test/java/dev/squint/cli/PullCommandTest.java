package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import dev.squint.Squint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The hub's address and the cache come from the environment, so each run is a process. */
class PullCommandTest {

  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final Path TINY = Path.of("../../models/tiny/src/main/resources/squint-tiny");

  private static final String QUESTION = "how many objects are there?";

  @TempDir Path home;

  private record Outcome(int code, String out, String err) {}

  private Outcome run(String endpoint, String... arguments) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            Stream.concat(
                    Stream.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "@../../models/fixtures/java.args",
                        "-cp",
                        System.getProperty(
                            "surefire.test.class.path", System.getProperty("java.class.path")),
                        SquintCommand.class.getName()),
                    Stream.of(arguments))
                .toList());
    builder.environment().keySet().removeIf(name -> name.startsWith("HF_"));
    builder.environment().put("HF_ENDPOINT", endpoint);
    builder.environment().put("HF_HOME", home.toString());
    builder.redirectOutput(home.resolve("out").toFile());
    builder.redirectError(home.resolve("err").toFile());
    Process process = builder.start();
    assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
    return new Outcome(
        process.exitValue(),
        Files.readString(home.resolve("out")),
        Files.readString(home.resolve("err")));
  }

  @Test
  void aPulledModelIsAsked() throws Exception {
    HttpServer hub = hubWith(TINY);
    try {
      String endpoint = "http://localhost:" + hub.getAddress().getPort();
      Outcome pulled = run(endpoint, "pull", "someone/tiny");
      assertThat(pulled.code()).as(pulled.err()).isZero();
      Path folder = Path.of(pulled.out().strip());
      assertThat(folder)
          .isEqualTo(home.resolve("hub/models--someone--tiny/snapshots").resolve(COMMIT));
      assertThat(pulled.err()).contains("someone/tiny").contains("MiB");
      String scene = Path.of("../images/scene-01.png").toString();
      try (Squint model = Squint.load(folder);
          Squint embedded = Squint.load()) {
        assertThat(model.ask(Path.of(scene), QUESTION).text())
            .isEqualTo(embedded.ask(Path.of(scene), QUESTION).text());
      }
    } finally {
      hub.stop(0);
    }
  }

  @Test
  void aHubThatIsNotThereIsSaidInOneLine() throws Exception {
    Outcome outcome = run("http://localhost:9", "pull", "someone/tiny");
    assertThat(outcome.code()).isEqualTo(SquintCommand.FAILED);
    assertThat(outcome.err().strip().lines()).hasSize(1);
    assertThat(outcome.err()).contains("http://localhost:9").contains("HF_ENDPOINT");
    assertThat(outcome.out()).isEmpty();
  }

  private static HttpServer hubWith(Path folder) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    List<Path> files;
    try (Stream<Path> all = Files.walk(folder)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    List<Map<String, Object>> siblings =
        files.stream()
            .map(
                file ->
                    Map.<String, Object>of(
                        "rfilename",
                        folder.relativize(file).toString().replace('\\', '/'),
                        "size",
                        file.toFile().length(),
                        "blobId",
                        gitHash(file)))
            .toList();
    byte[] listing =
        new ObjectMapper().writeValueAsBytes(Map.of("sha", COMMIT, "siblings", siblings));
    String resolve = "/someone/tiny/resolve/" + COMMIT + "/";
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            String path = exchange.getRequestURI().getPath();
            byte[] answer =
                path.startsWith(resolve)
                    ? Files.readAllBytes(folder.resolve(path.substring(resolve.length())))
                    : listing;
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
          }
        });
    server.start();
    return server;
  }

  private static String gitHash(Path file) {
    try {
      byte[] content = Files.readAllBytes(file);
      MessageDigest digest = MessageDigest.getInstance("SHA-1");
      digest.update(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
      return HexFormat.of().formatHex(digest.digest(content));
    } catch (IOException | NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}

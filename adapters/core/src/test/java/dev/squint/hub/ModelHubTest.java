package dev.squint.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.error.SquintException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelHubTest {

  private static final String DECODER = "onnx/decoder_model_merged_q4.onnx";
  private static final byte[] WEIGHTS = new byte[300_000];

  static {
    new Random(1).nextBytes(WEIGHTS);
  }

  @TempDir Path cache;

  private FakeHub hub;

  @BeforeEach
  void open() throws IOException {
    hub =
        new FakeHub()
            .file("config.json", "{\"model_type\": \"llava\"}")
            .file("tokenizer.json", "{}")
            .file("README.md", "about")
            .file("model.safetensors", WEIGHTS)
            .file("onnx/decoder_model_merged.onnx", "exact")
            .file("onnx/decoder_model_merged.onnx_data", WEIGHTS)
            .file(DECODER, "quantised")
            .file(DECODER + "_data", WEIGHTS)
            .file("onnx/vision_encoder.onnx", "tower")
            .file("onnx/embed_tokens_q4.onnx", "table");
  }

  @AfterEach
  void close() {
    hub.close();
  }

  private HubOptions.Builder options() {
    return HubOptions.builder(Map.of(), cache)
        .endpoint(hub.address("localhost"))
        .cache(cache)
        .patience(Duration.ofSeconds(2))
        .pause(Duration.ofMillis(10));
  }

  private Path pull() {
    return new ModelHub(options().build()).pull(FakeHub.REPOSITORY, "main", "q4", HubListener.NONE);
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString().replace('\\', '/'))
          .sorted()
          .toList();
    }
  }

  private void assertWhole(Path folder) throws IOException {
    assertThat(names(folder))
        .containsExactly(
            "config.json",
            DECODER,
            DECODER + "_data",
            "onnx/embed_tokens_q4.onnx",
            "onnx/vision_encoder.onnx",
            "tokenizer.json");
    assertThat(Files.readAllBytes(folder.resolve(DECODER + "_data"))).isEqualTo(WEIGHTS);
    assertThat(Files.readString(folder.resolve(DECODER))).isEqualTo("quantised");
    try (Stream<Path> blobs = Files.list(folder.getParent().getParent().resolve("blobs"))) {
      assertThat(blobs).noneMatch(blob -> blob.toString().endsWith(".incomplete"));
    }
  }

  @Test
  void getsTheFilesOfAPrecisionAndNoOthersIntoTheSharedLayout() throws IOException {
    Path folder = pull();
    assertWhole(folder);
    Path root = cache.resolve("models--someone--model");
    assertThat(folder).isEqualTo(root.resolve("snapshots").resolve(FakeHub.COMMIT));
    assertThat(Files.readString(root.resolve("refs").resolve("main"))).isEqualTo(FakeHub.COMMIT);
    assertThat(Files.readSymbolicLink(folder.resolve("config.json")).toString())
        .startsWith("../../blobs/");
    assertThat(hub.requests).noneMatch(request -> request.contains("safetensors"));
  }

  @Test
  void whatIsThereIsNotDownloadedAgain() throws IOException {
    pull();
    hub.requests.clear();
    assertWhole(pull());
    assertThat(hub.requests).hasSize(1).allMatch(request -> request.startsWith("/api/"));
    hub.requests.clear();
    new ModelHub(options().build())
        .pull(FakeHub.REPOSITORY, FakeHub.COMMIT, "q4", HubListener.NONE);
    assertThat(hub.requests).isEmpty();
  }

  /** What was sent and not yet read may be lost with the connection. */
  @Test
  void goesOnWhereAConnectionBroke() throws IOException {
    hub.misdeed(DECODER + "_data", FakeHub.dropping());
    assertWhole(pull());
    List<Integer> starts =
        hub.requests.stream()
            .filter(request -> request.matches(".*_q4\\.onnx_data bytes=\\d+-"))
            .map(request -> Integer.valueOf(request.replaceAll(".*bytes=(\\d+)-", "$1")))
            .toList();
    assertThat(starts)
        .singleElement()
        .satisfies(at -> assertThat(at).isBetween(1, WEIGHTS.length / 2));
  }

  @Test
  void aLaterProcessGoesOnToo() throws IOException {
    for (int i = 0; i < 2; i++) {
      hub.misdeed(DECODER + "_data", FakeHub.dropping());
    }
    ModelHub impatient = new ModelHub(options().attempts(1).build());
    assertThatThrownBy(() -> impatient.pull(FakeHub.REPOSITORY, "main", "q4", HubListener.NONE))
        .isInstanceOf(HubException.class)
        .hasMessageContaining(DECODER + "_data could not be downloaded")
        .hasMessageEndingWith("try again, it goes on where it stopped");
    assertThat(cache.resolve("models--someone--model/snapshots")).doesNotExist();
    hub.requests.clear();
    assertWhole(pull());
    assertThat(hub.requests).filteredOn(request -> request.contains("_data")).hasSize(2);
  }

  @Test
  void waitsAsLongAsTheServerWants() throws IOException {
    hub.misdeed(DECODER + "_data", FakeHub.status(429, "Retry-After", "1"));
    hub.misdeed("list", FakeHub.status(503, null, null));
    long start = System.nanoTime();
    assertWhole(pull());
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofSeconds(1));
  }

  @Test
  @Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void anAddressWhereNobodyListensIsNotTriedAgain() {
    ModelHub model =
        new ModelHub(options().endpoint("http://localhost:9").pause(Duration.ofHours(1)).build());
    assertThatThrownBy(() -> model.pull(FakeHub.REPOSITORY, "main", "q4", HubListener.NONE))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("http://localhost:9")
        .hasMessageContaining("is not reached");
  }

  @Test
  void aServerThatIsNeverReadyIsOverloaded() {
    for (int i = 0; i < 3; i++) {
      hub.misdeed(DECODER, FakeHub.status(503, null, null));
    }
    ModelHub model = new ModelHub(options().attempts(3).build());
    assertThatThrownBy(() -> model.pull(FakeHub.REPOSITORY, "main", "q4", HubListener.NONE))
        .isInstanceOf(HubException.class)
        .extracting(e -> ((SquintException) e).kind())
        .isEqualTo(SquintException.Kind.OVERLOAD);
  }

  @Test
  void wrongContentIsDownloadedAnewAndNeverKept() throws IOException {
    hub.misdeed(DECODER + "_data", FakeHub.lying());
    hub.misdeed("config.json", FakeHub.lying());
    hub.misdeed(DECODER, FakeHub.longer());
    assertWhole(pull());
  }

  @Test
  void aServerThatLiesAlwaysLeavesNothing() throws IOException {
    for (int i = 0; i < 2; i++) {
      hub.misdeed(DECODER, FakeHub.lying());
    }
    ModelHub model = new ModelHub(options().attempts(2).build());
    assertThatThrownBy(() -> model.pull(FakeHub.REPOSITORY, "main", "q4", HubListener.NONE))
        .hasMessageContaining("its content is not what the hub lists, 2 times over");
    Path blob =
        cache
            .resolve("models--someone--model/blobs")
            .resolve(FakeHub.gitHash("quantised".getBytes(StandardCharsets.UTF_8)));
    assertThat(blob).doesNotExist();
    assertThat(blob.resolveSibling(blob.getFileName() + ".incomplete")).doesNotExist();
  }

  @Test
  void aSilentServerIsLeftAfterAWhile() throws IOException {
    hub.misdeed(
        DECODER + "_data",
        (exchange, content) -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content, 0, 1000);
          exchange.getResponseBody().flush();
          try {
            TimeUnit.SECONDS.sleep(20);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return true;
        });
    long start = System.nanoTime();
    assertWhole(
        new ModelHub(options().patience(Duration.ofMillis(500)).build())
            .pull(FakeHub.REPOSITORY, "main", "q4", HubListener.NONE));
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(18));
  }

  @Test
  void theTokenGoesToTheHubAlone() throws IOException {
    hub.misdeed(
        DECODER + "_data",
        (exchange, content) -> {
          exchange
              .getResponseHeaders()
              .set("Location", hub.address("127.0.0.1") + "/cdn/" + DECODER + "_data");
          exchange.sendResponseHeaders(302, -1);
          return true;
        });
    Path folder =
        new ModelHub(options().token(Optional.of("secret")).build())
            .pull(FakeHub.REPOSITORY, "main", "q4", HubListener.NONE);
    assertWhole(folder);
    assertThat(hub.tokens).contains("localhost Bearer secret", "127.0.0.1 null");
    assertThat(hub.tokens).doesNotContain("127.0.0.1 Bearer secret");
  }

  @Test
  void severalFilesComeAtATime() throws Exception {
    for (String file : List.of("config.json", "tokenizer.json", DECODER, DECODER + "_data")) {
      hub.misdeed(
          file,
          (exchange, content) -> {
            try {
              Thread.sleep(200);
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            return false;
          });
    }
    pull();
    assertThat(hub.mostAtOnce.get()).isBetween(2, 4);
  }

  @Test
  void twoThatWantTheSameDownloadItOnce() throws Exception {
    CompletableFuture<Path> other = CompletableFuture.supplyAsync(this::pull);
    assertWhole(pull());
    assertWhole(other.get(1, TimeUnit.MINUTES));
    assertThat(hub.requests).filteredOn(request -> request.contains("onnx_data")).hasSize(1);
  }

  @Test
  void progressCountsEveryByteOnce() {
    hub.misdeed(DECODER + "_data", FakeHub.dropping());
    hub.misdeed(DECODER, FakeHub.lying());
    List<Long> heard = new ArrayList<>();
    long[] wanted = new long[2];
    new ModelHub(options().build())
        .pull(
            FakeHub.REPOSITORY,
            "main",
            "q4",
            new HubListener() {
              @Override
              public void onStart(int files, long bytes) {
                wanted[0] = files;
                wanted[1] = bytes;
              }

              @Override
              public void onProgress(long bytes) {
                heard.add(bytes);
              }
            });
    assertThat(wanted[0]).isEqualTo(6);
    assertThat(heard.get(heard.size() - 1)).isEqualTo(wanted[1]);
  }

  @Test
  void withoutTheHubTheCacheIsUsed() throws IOException {
    ModelHub offline = new ModelHub(options().offline(true).build());
    assertThatThrownBy(() -> offline.pull(FakeHub.REPOSITORY, "main", "q4", HubListener.NONE))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("is not in " + cache)
        .hasMessageContaining("HF_HUB_OFFLINE");
    assertThat(hub.requests).isEmpty();
    pull();
    hub.requests.clear();
    assertWhole(offline.pull(FakeHub.REPOSITORY, "main", "q4", HubListener.NONE));
    assertThat(hub.requests).isEmpty();
    hub.close();
    List<String> notes = new ArrayList<>();
    HubListener listener =
        new HubListener() {
          @Override
          public void onNote(String sentence) {
            notes.add(sentence);
          }
        };
    assertWhole(
        new ModelHub(options().attempts(1).build())
            .pull(FakeHub.REPOSITORY, "main", "q4", listener));
    assertThat(notes).hasSize(1).first().asString().contains("as it was downloaded last");
    assertThatThrownBy(
            () ->
                new ModelHub(options().attempts(1).build())
                    .pull("someone/other", "main", "q4", HubListener.NONE))
        .hasMessageContaining("is not reached");
  }

  @Test
  void whatIsNotThereIsSaid() {
    ModelHub model = new ModelHub(options().build());
    assertThatThrownBy(() -> model.pull("someone/nothing"))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("check the name, or set HF_TOKEN");
    hub.misdeed("list", FakeHub.status(403, "X-Error-Code", "GatedRepo"));
    assertThatThrownBy(() -> model.pull(FakeHub.REPOSITORY))
        .hasMessageContaining("ask for access on the model's page");
    hub.listed =
        "{\"sha\": \"%s\", \"siblings\": [{\"rfilename\": \"model.safetensors\", \"size\": 1, \"blobId\": \"%s\"}]}"
            .formatted(FakeHub.COMMIT, FakeHub.COMMIT);
    assertThatThrownBy(() -> model.pull(FakeHub.REPOSITORY))
        .hasMessageContaining("someone/model holds no exported model")
        .hasMessageContaining("onnx-community");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../../evil.json",
        "/etc/evil.json",
        "onnx/../../evil.onnx",
        "a//b.json",
        "c:x.json"
      })
  void namesThatLeadElsewhereAreRefused(String name) {
    hub.listed =
        "{\"sha\": \"%s\", \"siblings\": [{\"rfilename\": \"%s\", \"size\": 1, \"blobId\": \"%s\"}]}"
            .formatted(FakeHub.COMMIT, name, FakeHub.COMMIT);
    assertThatThrownBy(this::pull)
        .isInstanceOf(HubException.class)
        .hasMessageContaining("it names the file '" + name + "'");
  }

  @Test
  void namesOfNothingAreRefused() {
    ModelHub model = new ModelHub(options().build());
    for (String name : List.of("model", "a/b/c", "../b", "a/..", "a b/c", "a--b/c")) {
      assertThatThrownBy(() -> model.pull(name)).hasMessageContaining("name one as OWNER/NAME");
    }
    for (String revision : List.of("", "../main", "a b", "/x")) {
      assertThatThrownBy(() -> model.pull(FakeHub.REPOSITORY, revision, "", HubListener.NONE))
          .hasMessageContaining("is no revision");
    }
    assertThatThrownBy(() -> HubOptions.builder().endpoint("huggingface.co"))
        .hasMessageContaining("set HF_ENDPOINT");
  }

  @Test
  void theEnvironmentSaysWhereAndWho() throws IOException {
    HubOptions plain = HubOptions.builder(Map.of(), cache).build();
    assertThat(plain.endpoint()).hasToString("https://huggingface.co/");
    assertThat(plain.cache()).isEqualTo(cache.resolve(".cache/huggingface/hub"));
    assertThat(plain.token()).isEmpty();
    assertThat(plain.offline()).isFalse();
    Path home = Files.createDirectories(cache.resolve("home"));
    Files.writeString(home.resolve("token"), "written\n");
    HubOptions set =
        HubOptions.builder(
                Map.of(
                    "HF_HOME",
                    home.toString(),
                    "HF_ENDPOINT",
                    "http://mirror.example/hub",
                    "HF_HUB_OFFLINE",
                    "True"),
                cache)
            .build();
    assertThat(set.endpoint()).hasToString("http://mirror.example/hub/");
    assertThat(set.cache()).isEqualTo(home.resolve("hub"));
    assertThat(set.token()).contains("written");
    assertThat(set.offline()).isTrue();
    assertThat(
            HubOptions.builder(
                    Map.of("HF_HUB_CACHE", "x", "HF_TOKEN", "given", "XDG_CACHE_HOME", "y"), cache)
                .build())
        .satisfies(
            options -> {
              assertThat(options.cache()).isEqualTo(Path.of("x"));
              assertThat(options.token()).contains("given");
            });
  }

  @Test
  void aModelIsLoadedByItsName() throws IOException {
    Path tiny = Path.of("../../models/tiny/src/main/resources/squint-tiny");
    try (FakeHub whole = new FakeHub();
        Stream<Path> files = Files.walk(tiny)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        whole.file(tiny.relativize(file).toString().replace('\\', '/'), Files.readAllBytes(file));
      }
      HubOptions options = options().endpoint(whole.address("localhost")).build();
      try (Squint squint = Squint.load(FakeHub.REPOSITORY, ModelOptions.defaults(), options);
          Squint embedded = Squint.load()) {
        Path scene = Path.of("../../examples/images/scene-01.png");
        String question = "how many objects are there?";
        assertThat(squint.ask(scene, question).text())
            .isEqualTo(embedded.ask(scene, question).text());
        assertThat(squint.folder()).startsWith(cache);
      }
    }
  }
}

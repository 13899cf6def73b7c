package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.cli.torture.Fixtures;
import dev.squint.cli.torture.TinyModel;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.StrategyType;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The command as a user sees it: streams, files and exit codes. */
class CommandLineTest {

  private static final String SCENE =
      Path.of("").toAbsolutePath().resolve("../images/scene-01.png").toString();
  private static final String QUESTION = "what color is the circle left of the square?";

  @TempDir static Path folder;

  private record Outcome(int code, String out, String err) {}

  /** Where it does not matter what is said: a model that is opened in a moment. */
  private static String small;

  @BeforeAll
  static void images() throws IOException {
    small = TinyModel.write(Fixtures.folder(), folder.resolve("small")).toString();
    Files.writeString(folder.resolve("text.png"), "this is no image");
    Files.createFile(folder.resolve("zero.png"));
    image("dot.png", 1, 1);
    image("ribbon.png", 20_000, 20);
    byte[] whole = Files.readAllBytes(Path.of(SCENE));
    Files.write(folder.resolve("cut.png"), Arrays.copyOf(whole, whole.length / 2));
  }

  private static void image(String name, int width, int height) throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    ImageIO.write(image, "png", folder.resolve(name).toFile());
  }

  private static Outcome run(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line = SquintCommand.commandLine();
    line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    int code = line.execute(arguments);
    return new Outcome(code, out.toString(), err.toString());
  }

  private static void assertRefused(Outcome outcome, String sentencePart) {
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.err())
        .startsWith("squint: ")
        .contains(sentencePart)
        .doesNotContain("Exception")
        .doesNotContain("\tat ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          missing.png | no such file
          text.png    | is not an image
          zero.png    | is empty (0 bytes)
          dot.png     | is 1x1 pixels; give an image of at least 8 pixels a side
          ribbon.png  | is 20000x20 pixels, longer than 20:1
          cut.png     | is damaged or cut off
          """)
  void badImagesAreRefused(String name, String part) {
    assertRefused(run("ask", folder.resolve(name).toString(), QUESTION), part);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          fastvv                  | did you mean 'fastv'?
          fastv:kep=0.5           | did you mean 'keep'?
          fastv:keep=0            | keep=0 is out of range
          fastv:keep=1.5          | keep=1.5 is out of range
          fastv:keep=half         | keep=half is not a number
          fastv:k=0               | k=0 is out of range
          fastv:k=40              | k=40, but the decoder has 8 layers; choose 1..7
          fastv:keep=0.5,keep=0.2 | keep
          fastervlm:keep=2        | keep=2 is out of range
          fastervlm:k=2           | unknown parameter 'k'
          random:keep=-1          | keep=-1 is out of range
          random:sed=1            | did you mean 'seed'?
          random:at=99            | the decoder has 8 layers
          uniform:keep=0          | keep=0 is out of range
          uniform:kee=0.5         | did you mean 'keep'?
          none:keep=0.5           | unknown parameter 'keep'
          """)
  void badStrategiesAreRefused(String spec, String part) {
    assertRefused(run("ask", SCENE, QUESTION, "--strategy", spec), part);
  }

  @Test
  void flopsAsAPaperCountsThem() {
    Outcome outcome = run("ask", SCENE, QUESTION, "--strategy", "fastv", "--flops", "fastv");
    assertThat(outcome.code()).isZero();
    assertThat(outcome.out())
        .containsPattern("paper FLOPs +5\\d\\.\\d % of unpruned by the formula of FASTV")
        .containsPattern("average +360\\.0 visual tokens over the layers");
  }

  @Test
  void badQuestionsAreRefused() {
    assertRefused(run("ask", SCENE, "  "), "the question is empty");
    assertRefused(
        run("ask", SCENE, "what is this? ".repeat(600)), "the model's context holds 4096");
  }

  @Test
  void badOptionsAreRefused() {
    assertRefused(run("ask", SCENE, QUESTION, "--provider", "cuda"), "cuda");
    assertRefused(run("ask", SCENE, QUESTION, "--provider", "gpu"), "gpu");
    assertRefused(run("ask", SCENE, QUESTION, "--stratgy=none"), "did you mean '--strategy'?");
    assertRefused(run("askk", SCENE, QUESTION), "did you mean 'ask'?");
    assertRefused(run("askk", "--help"), "did you mean 'ask'?");
    assertRefused(run("nothing-like-it", "--help"), "nothing-like-it");
    assertRefused(run("--help", "askk"), "did you mean 'ask'?");
    assertRefused(run("ask", SCENE, QUESTION, "--threads", "-1"), "got -1");
    assertRefused(run("ask", SCENE, QUESTION, "--threads", "100000"), "choose 0 (one per core) to");
    assertRefused(run("ask", SCENE, QUESTION, "--max-new-tokens", "0"), "max new tokens is 0");
    assertRefused(run("ask", SCENE), "QUESTION");
    assertRefused(run("ask", "", QUESTION), "the name of the image is empty");
    assertRefused(run("ask", "a\0b.png", QUESTION), "no file can have that name");
    assertRefused(run(), "name a command");
    assertRefused(
        run("ask", SCENE, QUESTION, "--model", folder.resolve("none").toString()), "none");
  }

  @Test
  void theCacheIsWhereOneSays() throws IOException {
    Path cache = folder.resolve("my cache");
    assertThat(run("ask", SCENE, QUESTION, "--cache", cache.toString()).code()).isZero();
    assertThat(cache.resolve("models")).isNotEmptyDirectory();
    Path model;
    try (Stream<Path> models = Files.list(cache.resolve("models"))) {
      model = models.findFirst().orElseThrow();
    }
    Outcome split = run("split", model.toString(), "--at", "2", "--cache", cache.toString());
    assertThat(split.code()).as(split.err()).isZero();
    assertThat(Path.of(split.out().strip())).startsWith(cache).isNotEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ask", "caption", "search", "compare"})
  void aCacheThatCannotBeUsedIsSaidWithWhatHelps(String command) {
    List<String> arguments = new ArrayList<>(List.of(command));
    switch (command) {
      case "ask" -> arguments.addAll(List.of(SCENE, QUESTION));
      case "caption" -> arguments.add(SCENE);
      case "search" -> {
        String data =
            Path.of(
                    "../../adapters/evaluation/src/main/resources/dev/squint/evaluation/data/scenes")
                .toString();
        arguments.addAll(List.of("--data", data, "-o", folder.resolve("found.txt").toString()));
      }
      default -> arguments.addAll(List.of("-o", folder.resolve("report").toString()));
    }
    arguments.addAll(List.of("--cache", folder.resolve("text.png").toString()));
    Outcome outcome = run(arguments.toArray(String[]::new));
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.err().lines().filter(line -> line.startsWith("squint: ")))
        .singleElement()
        .asString()
        .contains("cannot be unpacked", "--cache FOLDER", "squint.cache");
    assertThat(run("ask", SCENE, QUESTION, "--cache", "").err()).contains("name a folder");
  }

  @CommandLine.Command(name = "fail")
  private record Failing(Throwable cause) implements Callable<Integer> {
    @Override
    public Integer call() throws Exception {
      if (cause instanceof Error error) {
        throw error;
      }
      throw (Exception) cause;
    }
  }

  private static Outcome failing(Throwable cause, String... options) {
    StringWriter err = new StringWriter();
    CommandLine line =
        SquintCommand.commandLine().addSubcommand(new Failing(cause)).setErr(new PrintWriter(err));
    String[] arguments = Arrays.copyOf(options, options.length + 1);
    arguments[options.length] = "fail";
    return new Outcome(line.execute(arguments), "", err.toString());
  }

  @Test
  void failuresOfOursAreOneSentenceToo() {
    assertThat(failing(new OutOfMemoryError("Java heap space")).err()).contains("-Xmx");
    for (Throwable cause :
        new Throwable[] {
          new IllegalStateException("broken\nin two"), new NoClassDefFoundError("a/B")
        }) {
      Outcome outcome = failing(cause);
      assertThat(outcome.code()).isEqualTo(1);
      assertThat(outcome.err().lines()).hasSize(1);
      assertThat(outcome.err()).startsWith("squint: ");
      assertThat(failing(cause, "--verbose").err()).contains("\tat ");
    }
  }

  @Test
  void unwritableOverlaysAreRefusedBeforeTheModelRuns() {
    String nowhere = folder.resolve("no/such/o.png").toString();
    assertRefused(run("ask", SCENE, QUESTION, "--overlay", nowhere), "create it first");
    assertRefused(run("ask", SCENE, QUESTION, "--overlay", folder.toString()), "overlay");
    assertRefused(run("ask", SCENE, QUESTION, "--overlay", "o.txt"), "ending in .png");
  }

  @Test
  void printsTheAnswerAndWhatWasSaved() {
    Outcome outcome = run("ask", SCENE, QUESTION, "--strategy", "fastv:k=2,keep=0.5");
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.code()).isZero();
    assertThat(outcome.out())
        .contains("576 -> 288 at before-layer(2)")
        .containsPattern("prefill FLOPs .* saved")
        .containsPattern("prefill speedup +1\\.\\d\\dx predicted by FLOPs \\(--measure")
        .containsPattern("decode speedup +1\\.\\d\\dx predicted by FLOPs\\R")
        .doesNotContain("measured")
        .containsPattern("KV cache .* bytes unpruned");
  }

  @Test
  void measuresWhereItIsAskedTo() {
    Outcome outcome =
        run("ask", SCENE, "what?", "--model", small, "--strategy", "fastv", "--measure");
    assertThat(outcome.out())
        .containsPattern("prefill speedup .*x measured / .*x predicted")
        .containsPattern("decode speedup .*x measured / .*x predicted");
    assertThat(run("ask", SCENE, "what?", "--model", small, "--measure").out())
        .containsPattern("prefill speedup +1\\.00x predicted by FLOPs\\R")
        .doesNotContain("measure");
  }

  @Test
  void anAnswerAsItComesIsTheAnswer() {
    String[] ask = {"ask", SCENE, "describe the picture.", "--max-new-tokens", "12"};
    String whole = run(ask).out();
    String[] stream = Arrays.copyOf(ask, ask.length + 1);
    stream[ask.length] = "--stream";
    Outcome streamed = run(stream);
    assertThat(streamed.code()).isZero();
    assertThat(streamed.out().lines().findFirst()).isEqualTo(whole.lines().findFirst());
    assertThat(streamed.out()).containsPattern("(?m)^strategy +none");
    assertRefused(
        run("ask", SCENE, QUESTION, "--stream", "--json"), "leave --stream or --json out");
  }

  @Test
  void asksAboutSeveralImages() throws IOException {
    Outcome outcome = run("ask", SCENE, SCENE, "which is larger?", "--json", "--max-tokens", "2");
    assertThat(outcome.code()).as(outcome.err()).isZero();
    JsonNode root = new ObjectMapper().readTree(outcome.out());
    assertThat(root.path("visualTokens").asInt()).isEqualTo(1152);
    assertThat(root.path("finish").asText()).isIn("length", "stop");
    String target = folder.resolve("two.png").toString();
    assertRefused(run("ask", SCENE, SCENE, "which?", "--overlay", target), "one image");
    assertRefused(run("ask", SCENE, "missing.png", "which?"), "no such file: missing.png");
  }

  @Test
  void sampledAnswersAndTheirEndsAreAsAsked() throws IOException {
    String[] drawn = {"ask", SCENE, "describe the picture.", "--temperature", "2", "--top-k", "50"};
    String[] first = {"--seed", "1", "--max-new-tokens", "12"};
    assertThat(answer(drawn, first)).isEqualTo(answer(drawn, first));
    String text = answer(drawn, "--temperature", "0");
    String stop = text.substring(text.length() - 8);
    assertThat(answer(drawn, "--temperature", "0", "--stop", "never", "--stop", stop))
        .isEqualTo(text.substring(0, text.indexOf(stop)).strip());
    assertThat(answer(drawn, "--temperature", "0", "--system", "be brief.")).isNotNull();
    assertRefused(
        run("ask", SCENE, "what?", "--model", small, "--temperature", "-1"), "temperature is -1.0");
    assertRefused(run("ask", SCENE, "what?", "--model", small, "--top-p", "2"), "top-p is 2.0");
    assertRefused(run("ask", SCENE, "what?", "--model", small, "--min-p", "2"), "min-p is 2.0");
    assertRefused(run("ask", SCENE, "what?", "--model", small, "--stop", ""), "0 characters");
    assertRefused(
        run("ask", SCENE, "what?", "--model", small, "--system", " "),
        "the system message is empty");
    assertRefused(
        run("ask", SCENE, "what?", "--model", small, "--raw-prompt"),
        "the prompt has '<image>' 0 times");
    assertRefused(
        run("ask", SCENE, "what?", "--model", small, "--template-file", "no-such.jinja"),
        "no-such.jinja");
    assertRefused(
        run("ask", SCENE, "what?", "--model", small, "--deadline", "0"), "give seconds above 0");
  }

  private static String answer(String[] first, String... further) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(first));
    for (int i = 0; i < further.length; i += 2) {
      int given = arguments.indexOf(further[i]);
      if (given >= 0 && !further[i].equals("--stop")) {
        arguments.set(given + 1, further[i + 1]);
      } else {
        arguments.addAll(List.of(further[i], further[i + 1]));
      }
    }
    arguments.add("--json");
    Outcome outcome = run(arguments.toArray(String[]::new));
    assertThat(outcome.code()).as(outcome.err()).isZero();
    return new ObjectMapper().readTree(outcome.out()).path("answer").asText();
  }

  @Test
  void anAnswerThatIsNotDoneInItsTimeIsCutOff() throws IOException {
    Outcome outcome = run("ask", SCENE, QUESTION, "--deadline", "0.000001", "--json");
    assertThat(outcome.code()).isEqualTo(3);
    assertThat(outcome.out().isEmpty() ? outcome.err() : outcome.out()).contains("deadline");
    assertThat(run("ask", SCENE, "what?", "--model", small, "--deadline", "600").code()).isZero();
  }

  private static Outcome conversed(String input, String... arguments) {
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(input.getBytes(Charset.defaultCharset())));
    try {
      return run(arguments);
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void aConversationReadsItsQuestionsLineByLine() throws IOException {
    String first = run("ask", SCENE, "how many circles are there?").out().lines().toList().get(0);
    Outcome outcome =
        conversed(
            "how many circles are there?\n\nwhat color?\n/quit\nno\n", "ask", SCENE, "--chat");
    assertThat(outcome.code()).as(outcome.err()).isZero();
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out().lines()).hasSize(2).first().isEqualTo(first);
    Outcome json =
        conversed("what color?", "ask", SCENE, "how many circles are there?", "--chat", "--json");
    List<String> lines = json.out().lines().toList();
    assertThat(lines).hasSize(2);
    JsonNode second = new ObjectMapper().readTree(lines.get(1));
    assertThat(new ObjectMapper().readTree(lines.get(0)).path("answer").asText()).isEqualTo(first);
    assertThat(second.path("promptTokens").asInt())
        .isGreaterThan(new ObjectMapper().readTree(lines.get(0)).path("promptTokens").asInt());
    assertThat(second.path("visualTokens").asInt()).isEqualTo(576);
    assertThat(second.path("reusedTokens").asInt()).isGreaterThan(576);
  }

  @Test
  void aQuestionThatCannotBeAskedDoesNotEndAConversation() {
    String tooLong = "what is this? ".repeat(600);
    Outcome outcome = conversed(tooLong + "\nhow many?\n", "ask", SCENE, "--chat");
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.err().lines()).singleElement().asString().contains("context holds 4096");
    assertThat(outcome.out().lines()).hasSize(1);
    assertThat(conversed("", "ask", SCENE, "--chat").out()).isEmpty();
    assertThat(conversed("what is a circle?", "ask", "--chat").code()).isZero();
    assertRefused(conversed("", "ask", "missing.png", "what?", "--chat"), "no such file");
  }

  @Test
  void printsOneJsonObject() throws IOException {
    Outcome outcome = run("ask", SCENE, QUESTION, "--strategy", "fastervlm:keep=0.25", "--json");
    JsonNode root = new ObjectMapper().readTree(outcome.out());
    assertThat(root.path("strategy").asText()).isEqualTo("fastervlm:keep=0.25");
    assertThat(root.path("provider").asText()).isEqualTo("cpu");
    JsonNode site = root.path("sites").get(0);
    assertThat(site.path("before").asInt()).isEqualTo(576);
    assertThat(site.path("after").asInt()).isEqualTo(144);
    assertThat(site.path("kept")).hasSize(144);
    assertThat(site.path("scores")).hasSize(576);
    assertThat(root.path("prefillFlops").asLong())
        .isPositive()
        .isLessThan(root.path("unprunedPrefillFlops").asLong());
    assertThat(root.path("kvBytes").asLong())
        .isPositive()
        .isLessThan(root.path("unprunedKvBytes").asLong());
    assertThat(root.has("prefillSpeedupMeasured")).isFalse();
    assertThat(root.path("prefillSpeedupPredicted").asDouble()).isGreaterThan(1);
  }

  @Test
  void theJsonFieldsAreStable() throws IOException {
    Outcome outcome = run("ask", SCENE, QUESTION, "--strategy", "fastv", "--json", "--measure");
    JsonNode root = new ObjectMapper().readTree(outcome.out());
    assertThat(root.path("averageVisualTokens").asDouble()).isEqualTo((2 * 576 + 6 * 288) / 8.0);
    assertThat(root.path("prefillFlopsLeft").fieldNames())
        .toIterable()
        .containsExactly("fastv", "sparsevlm", "pyramiddrop", "fastervlm");
    assertThat(root.path("prefillFlopsLeft").path("fastv").asDouble()).isBetween(0.5, 0.75);
    assertThat(root.fieldNames())
        .toIterable()
        .containsExactly(
            "answer",
            "finish",
            "strategy",
            "model",
            "provider",
            "promptTokens",
            "visualTokens",
            "reusedTokens",
            "sites",
            "tokensPerLayer",
            "averageVisualTokens",
            "prefillFlopsLeft",
            "visionFlops",
            "prefillFlops",
            "unprunedPrefillFlops",
            "decodeFlops",
            "unprunedDecodeFlops",
            "queueNanos",
            "preprocessingNanos",
            "visionNanos",
            "prefillNanos",
            "selectionNanos",
            "decodeNanos",
            "generatedTokens",
            "kvBytes",
            "unprunedKvBytes",
            "prefillSpeedupPredicted",
            "decodeSpeedupPredicted",
            "prefillSpeedupMeasured",
            "prefillMeasuredOverPredicted",
            "decodeSpeedupMeasured",
            "decodeMeasuredOverPredicted",
            "notes");
    assertThat(root.path("sites").get(0).fieldNames())
        .toIterable()
        .containsExactly(
            "site", "observed", "before", "after", "kept", "added", "scores", "selectionNanos");
  }

  @Test
  void anArgumentThatNamesAFileAfterAnAtSignIsTakenAsItIs() throws IOException {
    Path file = Files.writeString(folder.resolve("arguments.txt"), "--version");
    Outcome outcome = run("ask", "@" + file, QUESTION);
    assertRefused(outcome, "no such file");
    assertThat(outcome.err()).contains("@" + file);
  }

  /** In the decoder and after the vision encoder. */
  @ParameterizedTest
  @ValueSource(strings = {"fastv", "fastervlm"})
  void dimsWhatEachStrategyDrops(String strategy) throws IOException {
    Path target = folder.resolve(strategy + ".png");
    Outcome outcome =
        run(
            "caption",
            SCENE,
            "--strategy",
            strategy + ":keep=0.25",
            "--max-new-tokens",
            "2",
            "--json",
            "--overlay",
            target.toString());
    assertThat(outcome.code()).isZero();
    JsonNode kept = new ObjectMapper().readTree(outcome.out()).path("sites").get(0).path("kept");
    boolean[] isKept = new boolean[576];
    kept.forEach(index -> isKept[index.asInt()] = true);
    BufferedImage overlay = ImageIO.read(target.toFile());
    BufferedImage scene = ImageIO.read(Path.of(SCENE).toFile());
    assertThat(overlay.getWidth()).isEqualTo(960);
    assertThat(overlay.getHeight()).isEqualTo(480);
    for (int i = 0; i < isKept.length; i++) {
      int shown = brightness(overlay.getRGB(i % 24 * 20 + 2, i / 24 * 20 + 2));
      int original = brightness(scene.getRGB(i % 24 * 8, i / 24 * 8));
      if (isKept[i]) {
        assertThat(shown).isEqualTo(original);
      } else {
        assertThat(shown).isLessThan(original);
      }
    }
  }

  private static int brightness(int rgb) {
    return (rgb >> 16 & 0xFF) + (rgb >> 8 & 0xFF) + (rgb & 0xFF);
  }

  @Test
  void theSameSeedDrawsTheSameTokens() throws IOException {
    String first = kept("7");
    assertThat(kept("7")).isEqualTo(first);
    assertThat(kept("8")).isNotEqualTo(first);
  }

  private static String kept(String seed) throws IOException {
    Outcome outcome =
        run(
            "ask",
            SCENE,
            QUESTION,
            "--model",
            small,
            "--strategy",
            "random:keep=0.3",
            "--seed",
            seed,
            "--json",
            "--max-new-tokens",
            "2");
    return new ObjectMapper().readTree(outcome.out()).path("sites").get(0).path("kept").toString();
  }

  @Test
  void autoFallsBackToTheProcessorAndSaysSoOnce() throws IOException, InterruptedException {
    Path out = folder.resolve("out.txt");
    Path err = folder.resolve("err.txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@../../models/fixtures/java.args",
                "-cp",
                System.getProperty("java.class.path"),
                SquintCommand.class.getName(),
                "ask",
                SCENE,
                "what?",
                "--model",
                small,
                "--provider",
                "auto",
                "--json",
                "--strategy",
                "fastv",
                "--max-new-tokens",
                "2")
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    assertThat(process.waitFor()).isZero();
    assertThat(new ObjectMapper().readTree(out.toFile()).path("provider").asText())
        .isEqualTo("cpu");
    assertThat(Files.readAllLines(err)).singleElement().asString().contains("falls back to cpu");
  }

  @Test
  void listsEveryStrategyWithItsSitesAndWhatItObserves() {
    String listing = run("strategies").out();
    for (StrategyType<?> provider : Strategies.available()) {
      assertThat(listing)
          .containsPattern("(?m)^%s +\\S".formatted(Pattern.quote(provider.name())))
          .contains(provider.paper());
    }
    assertThat(listing)
        .containsPattern(
            "(?m)^fastv .*\\R  paper .*\\R  sites +before-layer\\(2\\)$\\R  observes +text-to-visual attention of decoder layer 1 .*\\R  parameters +k=2, keep=0.5, tokens, per=request$")
        .containsPattern("before-layer\\(8\\), before-layer\\(16\\), before-layer\\(24\\)")
        .contains("decoder layers 1, 7, 15, 23 (LAST", "KV cache after the prefill")
        .endsWith("LLaVA-1.5-7B." + System.lineSeparator());
  }

  @Test
  void describesOneStrategyInFull() {
    Outcome outcome = run("strategies", "visionzip");
    assertThat(outcome.code()).isZero();
    assertThat(outcome.out())
        .containsPattern("(?m)^paper +Yang et al")
        .containsPattern("(?m)^spec +visionzip:")
        .containsPattern("(?m)^parameter +merge: .*one of paper, code; default paper$")
        .containsPattern("(?m)^site +.*: drops and merges tokens, compacted positions$")
        .containsPattern(
            "(?m)^  observes +.*\\[CLS\\] attention of vision layer 22; similarity of keys");
    assertThat(run("strategies", "none").out()).containsPattern("(?m)^on LLaVA-1.5-7B +none$");
    assertThat(run("strategies", "fastv:k=5").out()).contains("before-layer(5)", "decoder layer 4");
    assertRefused(run("strategies", "visionzap"), "did you mean 'visionzip'?");
    assertRefused(run("strategies", "fastv+none"), "describe one at a time");
  }

  private static final String EXPORTS = "../../models/fixtures/data/exports/";

  @Test
  void inspectSaysWhatWasFound() throws IOException {
    Outcome text = run("inspect", EXPORTS + "genai-llama-int4/decoder.onnx");
    assertThat(text.code()).isZero();
    assertThat(text.out())
        .contains("int4", "onnxruntime-genai (guess)", "GroupQueryAttention in layers 0..3")
        .contains("before layers 1..3");
    assertThat(text.out().lines()).hasSizeLessThan(40);
    Outcome json = run("inspect", "../../models/tiny/src/main/resources/squint-tiny", "--json");
    JsonNode root = new ObjectMapper().readTree(json.out());
    assertThat(root.path("family").asText()).isEqualTo("llava");
    assertThat(root.path("decoder").path("layers").asInt()).isEqualTo(8);
    assertThat(root.path("vision").path("hasCls").asBoolean()).isTrue();
    assertThat(root.path("strategies").path("fastv").asText()).isEqualTo("yes");
  }

  @Test
  void splitWritesSegmentsAndAManifest() {
    Path out = folder.resolve("parts");
    String decoder = EXPORTS + "llama-ts-eager-14/decoder.onnx";
    Outcome outcome =
        run("split", decoder, "--at", "3,1", "--tap", "attention:1,keys:2", "-o", out.toString());
    assertThat(outcome.code()).isZero();
    assertThat(outcome.out().strip()).isEqualTo(out.toString());
    assertThat(out.resolve("segment-02.onnx")).exists();
    assertThat(out.resolve("manifest.json")).exists();
    assertRefused(run("split", decoder, "--at", "1", "-o", out.toString()), "exists");
    String other = folder.resolve("other").toString();
    assertRefused(run("split", decoder, "--at", "0", "-o", other), "choose 1..3");
    assertRefused(run("split", decoder, "--at", "two", "-o", other), "'two' is not an int");
    assertRefused(run("split", decoder, "--at", "2,1,2", "-o", other), "names layer 2 twice");
    assertRefused(
        run("split", decoder, "--at", "1", "--tap", "mood:1", "-o", other), "attention:1");
    assertRefused(
        run("split", decoder, "--at", "1", "--tap", "norm(decoder.9.v[visual],1)", "-o", other),
        "a tap in layer 9");
    assertRefused(
        run("split", decoder, "--at", "1", "--tap", "vision.1.v[visual]", "-o", other),
        "looks at layers of the decoder");
    String norms = "norm(decoder.1.v[visual],head-width)";
    assertThat(run("split", decoder, "--at", "1", "--tap", norms, "-o", other).code()).isZero();
    assertRefused(
        run("split", folder.resolve("none").toString(), "--at", "1", "-o", other), "no such model");
    assertRefused(run("inspect", SCENE), "is not a readable ONNX file");
  }
}

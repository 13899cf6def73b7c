package dev.squint.cli.torture;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.Squint;
import dev.squint.cli.SquintCommand;
import dev.squint.error.StrategyException;
import dev.squint.fixtures.FileSums;
import dev.squint.image.ImageInput;
import dev.squint.pruning.schedules.ScheduleFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/**
 * Commands that are killed, or that may write only so many bytes as on a full disk. Afterwards no
 * file of the user is another, what was to be written is whole or absent, the same command works,
 * and nothing is left over.
 */
final class CommandCampaign implements Campaign {

  /** What happens to the command. */
  enum Mishap {
    KILLED,
    DISK_FULL
  }

  private static final int LATEST_KILL_MILLIS = 4_000;
  private static final int MOST_BLOCKS = 160_000;
  private static final int SECONDS = 240;
  private static final String QUESTION = "what is it?";

  private final Path model;
  private final Mishap mishap;
  private final String answer;

  CommandCampaign(Path model, Mishap mishap) throws IOException {
    this.model = model;
    this.mishap = mishap;
    Path image = model.resolveSibling("image.png");
    image(image);
    try (Squint squint = Squint.load(model, Answering.options())) {
      this.answer = Answering.ask(squint, ImageInput.of(image), QUESTION, "none").text();
    }
  }

  /**
   * How a command ended.
   *
   * @param code its exit code
   * @param said what it wrote to standard error
   * @param tells whether it tells there how far it is
   */
  private record Ended(int code, String said, boolean tells) {

    /** What was said of a failure, without what tells the progress. */
    String complaints() {
      return tells
          ? said.lines().filter(line -> line.startsWith("squint: ")).collect(joining("\n"))
          : said;
    }
  }

  @Override
  public Verdict run(long seed, Path work) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    Path source = work.resolve("source");
    WorkFolder.copy(model, source.resolve("model"));
    image(source.resolve("image.png"));
    data(source.resolve("data"));
    Map<String, String> before = FileSums.of(source);
    Path out = work.resolve("written/out");
    Files.createDirectories(out.getParent());
    List<String> command = command(random, source, out);
    if (random.nextBoolean()) {
      run(work, command, Integer.MAX_VALUE);
    }
    Verdict verdict =
        mishap == Mishap.KILLED
            ? killed(work, command, random.nextInt(LATEST_KILL_MILLIS))
            : full(
                work, command, 1 + (int) Math.pow(random.nextDouble() * Math.sqrt(MOST_BLOCKS), 2));
    String inWords = String.join(" ", command);
    verdict = verdict.and(state(source, before, out, inWords));
    Ended again = run(work, command, Integer.MAX_VALUE);
    if (again.code() != 0 || !again.complaints().isEmpty()) {
      verdict =
          verdict.and(
              new Verdict(
                  Outcome.RAW,
                  "afterwards %s ends with %d: %s".formatted(inWords, again.code(), again.said())));
    }
    return verdict.and(state(source, before, out, inWords)).and(leftOver(work, out, inWords));
  }

  private static void image(Path file) throws IOException {
    Files.createDirectories(file.getParent());
    BufferedImage image = new BufferedImage(48, 40, BufferedImage.TYPE_INT_RGB);
    ImageIO.write(image, "png", file.toFile());
  }

  /** Two questions, of which the model gets one right, so that there is something to search. */
  private void data(Path folder) throws IOException {
    image(folder.resolve("images/0.png"));
    new ObjectMapper()
        .writeValue(
            folder.resolve("questions.json").toFile(),
            List.of(List.of(QUESTION, answer, 0), List.of("is it?", "no", 0)));
  }

  private static List<String> command(SplittableRandom random, Path source, Path out) {
    String folder = source.resolve("model").toString();
    String image = source.resolve("image.png").toString();
    String data = source.resolve("data").toString();
    return switch (random.nextInt(6)) {
      case 0, 1 -> {
        List<String> split =
            new ArrayList<>(List.of("split", folder, "--at", "2", "--force", "-o", out.toString()));
        if (random.nextBoolean()) {
          split.add("--copy");
        }
        yield split;
      }
      case 2 -> List.of("ask", image, QUESTION);
      case 3 ->
          List.of(
              "ask",
              image,
              QUESTION,
              "--model",
              folder,
              "--strategy",
              "fastv:k=2,keep=0.5",
              "--overlay",
              out + ".png");
      case 4 ->
          List.of(
              "search",
              "--model",
              folder,
              "--data",
              data,
              "--layers",
              "2",
              "--max-new-tokens",
              Integer.toString(Answering.FEW_TOKENS),
              "-o",
              out + ".txt");
      default ->
          List.of(
              "compare",
              "--model",
              folder,
              "--data",
              data,
              "--strategies",
              "fastv:k=2",
              "--keep",
              "0.5",
              "--timed",
              "0",
              "-o",
              out.toString());
    };
  }

  private static Process start(Path work, List<String> command, int blocks) throws IOException {
    List<String> line = new ArrayList<>();
    if (blocks < Integer.MAX_VALUE) {
      line.addAll(List.of("sh", "-c", "ulimit -f " + blocks + "; exec \"$@\"", "sh"));
    }
    line.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx512m",
            "@../../models/fixtures/java.args",
            "-XX:-UsePerfData",
            "-Djava.awt.headless=true",
            "-Djava.io.tmpdir=" + Files.createDirectories(work.resolve("tmp")),
            "-Dsquint.cache=" + work.resolve("cache"),
            "-cp",
            System.getProperty("java.class.path"),
            SquintCommand.class.getName()));
    line.addAll(command);
    return new ProcessBuilder(line)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(work.resolve("stderr.txt").toFile())
        .start();
  }

  private static Ended run(Path work, List<String> command, int blocks) throws IOException {
    Process process = start(work, command, blocks);
    try {
      if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return new Ended(-1, "hung", false);
      }
      boolean tells = Set.of("search", "compare").contains(command.get(0));
      return new Ended(
          process.exitValue(), Files.readString(work.resolve("stderr.txt")).strip(), tells);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      throw new IOException(e);
    }
  }

  private static Verdict killed(Path work, List<String> command, int millis) throws IOException {
    Process process = start(work, command, Integer.MAX_VALUE);
    try {
      boolean finished = process.waitFor(millis, TimeUnit.MILLISECONDS);
      process.destroyForcibly().waitFor();
      return new Verdict(finished ? Outcome.ANSWERED : Outcome.REFUSED, "");
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private static Verdict full(Path work, List<String> command, int blocks) throws IOException {
    Ended ended = run(work, command, blocks);
    String said = ended.complaints();
    if (ended.code() == 0 && said.isEmpty()) {
      return Verdict.answered();
    }
    boolean sentence =
        (ended.code() == 1 || ended.code() == 2)
            && said.startsWith("squint: ")
            && Verdict.unlikeASentence(said).isEmpty();
    return sentence
        ? new Verdict(Outcome.REFUSED, said)
        : new Verdict(
            ended.code() > 2 ? Outcome.ABORTED : Outcome.RAW,
            "%d blocks, %s: exit code %d, %s"
                .formatted(blocks, command, ended.code(), ended.said()));
  }

  /** Whether the user's files are as they were, and what was written is whole or absent. */
  private static Verdict state(Path source, Map<String, String> before, Path out, String command)
      throws IOException {
    if (!FileSums.of(source).equals(before)) {
      return new Verdict(Outcome.CHANGED, command);
    }
    return wholeOrAbsent(out)
        ? Verdict.answered()
        : new Verdict(Outcome.RAW, "half-written by " + command);
  }

  private static boolean wholeOrAbsent(Path out) throws IOException {
    Path overlay = Path.of(out + ".png");
    Path schedule = Path.of(out + ".txt");
    Path manifest = out.resolve("manifest.json");
    try {
      return (!Files.exists(overlay) || ImageIO.read(overlay.toFile()) != null)
          && (!Files.exists(schedule) || !ScheduleFile.read(schedule.toString()).layers().isEmpty())
          && (!Files.exists(manifest) || isWholeSplit(out, manifest));
    } catch (IOException | StrategyException e) {
      return false;
    }
  }

  private static boolean isWholeSplit(Path out, Path manifest) throws IOException {
    JsonNode root = new ObjectMapper().readTree(manifest.toFile());
    List<String> names = new ArrayList<>();
    root.path("segments").forEach(segment -> names.add(segment.path("file").asText()));
    root.path("weights").forEach(name -> names.add(name.asText()));
    return root.path("segments").size() == 2
        && names.stream().allMatch(name -> out.resolve(name).toFile().length() > 0);
  }

  /** What a later run of the same command has not removed. */
  private static Verdict leftOver(Path work, Path out, String command) throws IOException {
    TreeSet<String> left = new TreeSet<>();
    for (Path folder : List.of(work.resolve("cache"), out.getParent())) {
      if (!Files.isDirectory(folder)) {
        continue;
      }
      try (Stream<Path> files = Files.walk(folder)) {
        files
            .map(file -> folder.relativize(file).toString())
            .filter(name -> name.matches(".*(unpacking|part|damaged|\\.tmp).*"))
            .forEach(left::add);
      }
    }
    return left.isEmpty()
        ? Verdict.answered()
        : new Verdict(Outcome.RAW, "left over by %s: %s".formatted(command, left));
  }
}

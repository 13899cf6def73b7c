import dev.squint.ChatMessage;
import dev.squint.ChatRequest;
import dev.squint.ChatResponse;
import dev.squint.Squint;
import dev.squint.chat.Role;
import dev.squint.engine.options.ModelOptions;
import dev.squint.image.ImageInput;
import dev.squint.pruning.trace.Timings;
import dev.squint.pruning.trace.Trace;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Squint as a contender, in one line of JSON as contender.py prints it, with the FLOPs of the prefill
 * over those without pruning: {@code java -cp LIB/* SquintContender.java FOLDER IMAGES BEFORE AFTER NEW
 * ROUNDS THREADS SPEC [CALLERS]}. With CALLERS, so many ask at once, ROUNDS times each, and what is
 * printed besides are the requests per second of all.
 */
public final class SquintContender {

  private SquintContender() {}

  public static void main(String[] arguments) throws Exception {
    int images = Integer.parseInt(arguments[1]);
    int rounds = Integer.parseInt(arguments[5]);
    List<ChatMessage.Part> parts = new ArrayList<>();
    parts.add(new ChatMessage.Text(arguments[2]));
    ImageInput image = ImageInput.of(new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB));
    parts.addAll(Collections.nCopies(images, new ChatMessage.Image(image)));
    parts.add(new ChatMessage.Text(arguments[3]));
    ChatRequest request =
        ChatRequest.builder()
            .message(new ChatMessage(Role.USER, parts))
            .strategy(arguments[7])
            .maxTokens(Integer.parseInt(arguments[4]))
            .build();
    Path cache = Files.createTempDirectory("squint-bench");
    ModelOptions options =
        ModelOptions.builder().threads(Integer.parseInt(arguments[6])).cacheFolder(cache).build();
    List<Double> first = new ArrayList<>();
    List<Double> whole = new ArrayList<>();
    ChatResponse last = null;
    int callers = arguments.length > 8 ? Integer.parseInt(arguments[8]) : 0;
    double perSecond = 0;
    try (Squint squint = Squint.load(Path.of(arguments[0]), options)) {
      for (int round = 0; round <= rounds; round++) {
        last = squint.chat(request);
        if (round > 0) {
          Timings timings = last.trace().timings();
          long prompt =
              timings.preprocessingNanos() + timings.visionNanos() + timings.prefillNanos();
          first.add(prompt / 1e9);
          whole.add((prompt + timings.decodeNanos()) / 1e9);
        }
      }
      if (callers > 0) {
        perSecond = asked(squint, request, callers, rounds);
      }
    } finally {
      try (var files = Files.walk(cache)) {
        files.sorted(Collections.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    }
    Trace trace = last.trace();
    System.out.printf(
        Locale.ROOT,
        "{\"first\": %s, \"whole\": %s, \"peak\": %d, \"flops\": %f, \"prefillFlops\": %d, \"perSecond\": %f, \"text\": \"%s\"}%n",
        first,
        whole,
        peak(),
        (double) trace.prefillFlops() / trace.unprunedPrefillFlops(),
        trace.prefillFlops(),
        perSecond,
        last.text().chars().mapToObj(c -> String.format("\\u%04x", c)).collect(Collectors.joining()));
  }

  /** Requests per second of callers that ask one after the other, each so many times. */
  private static double asked(Squint squint, ChatRequest request, int callers, int rounds)
      throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(callers);
    try {
      long start = System.nanoTime();
      List<Future<ChatResponse>> all =
          IntStream.range(0, callers * rounds)
              .mapToObj(i -> threads.submit(() -> squint.chat(request)))
              .toList();
      for (Future<ChatResponse> one : all) {
        one.get();
      }
      return callers * rounds * 1e9 / (System.nanoTime() - start);
    } finally {
      threads.shutdown();
    }
  }

  private static long peak() throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .sum()
        * 1024;
  }
}

package dev.squint.cli.torture;

import dev.squint.ChatRequest;
import dev.squint.ChatResponse;
import dev.squint.Conversation;
import dev.squint.ConversationOptions;
import dev.squint.PreparedImage;
import dev.squint.Squint;
import dev.squint.engine.request.Cancellation;
import dev.squint.engine.request.FinishReason;
import dev.squint.error.ModelException;
import dev.squint.image.ImageException;
import dev.squint.image.ImageInput;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The process that {@link ThreadSoakTest} watches: many threads ask and converse with every
 * strategy, cancel and run out of time, while threads are interrupted and the model is closed and
 * loaded again under them. Each answer is held against the one given before there was more than one
 * thread; what was ended has to be how that one begins. In the end no thread and no temporary file
 * may be left.
 *
 * <p>Arguments: the folder of images, threads, seconds, the log, how many images are asked about,
 * and of how many strategies one is asked with. Writes a line per {@link #SAMPLE}; ends with code 0
 * if every answer was right and every exception a documented one.
 */
final class ThreadSoak {

  /** The strategies of the published comparison and the baselines. */
  static final List<String> SPECS =
      List.of(
          "none",
          "random:keep=0.5",
          "uniform:keep=0.5",
          "fastervlm",
          "vtc-cls",
          "visionzip",
          "vispruner",
          "divprune",
          "cdpruner",
          "tome",
          "mustdrop",
          "prumerge",
          "prumerge-plus",
          "vscan",
          "fastv:k=2,keep=0.5",
          "dart",
          "pyramiddrop",
          "sparsevlm",
          "sparsevlm:layers=2/4/6",
          "sparsevlm-plus",
          "corematching",
          "exit",
          "exit:rule=fixed,layers=4",
          "zipvl",
          "twilight",
          "psigmoid",
          "layerwise:share=0.5",
          "kv-quant",
          "kv-quant:bits=4",
          "avl",
          "sparsemm");

  static final Duration SAMPLE = Duration.ofSeconds(5);

  private static final List<String> QUESTIONS =
      List.of("how many objects are there?", "what color is the circle left of the square?");

  /** Far above what a call takes after 63 others on one busy core. */
  private static final Duration HUNG = Duration.ofMinutes(3);

  private static final int MOST_MILLIS_LOADED = 40_000;

  private static final int MOST_MILLIS_ASKED = 400;

  private static final Duration LEFT = Duration.ofSeconds(3);

  private static final String CLOSED = "the model is closed; load it again";

  private record Asked(Path image, String question, Strategy strategy) {}

  /** What is kept of an image, asked about with a strategy, for a second question. */
  private record Talk(Path image, Strategy strategy) {}

  private record Expected(String text, List<Integer> tokensPerLayer, long flops) {
    static Expected of(ChatResponse answer) {
      return new Expected(
          answer.text(),
          Arrays.stream(answer.trace().tokensPerLayer()).boxed().toList(),
          answer.trace().prefillFlops());
    }
  }

  private final List<Asked> questions = new ArrayList<>();
  private final Map<Asked, Expected> expected = new HashMap<>();
  private final Map<Talk, List<Expected>> expectedTalks = new HashMap<>();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final AtomicReference<Squint> current = new AtomicReference<>(Squint.load());
  private final Map<String, AtomicInteger> failures = new ConcurrentHashMap<>();
  private final AtomicLong answers = new AtomicLong();
  private final AtomicLong ended = new AtomicLong();
  private final AtomicLong closed = new AtomicLong();
  private final AtomicLong reloads = new AtomicLong();
  private volatile boolean over;

  private ThreadSoak(List<Path> images, int every) {
    for (int i = 0; i < SPECS.size(); i += every) {
      String spec = SPECS.get(i);
      for (Path image : images) {
        for (String question : QUESTIONS) {
          questions.add(new Asked(image, question, Strategies.parse(spec)));
        }
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    List<Path> images;
    try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
      images =
          files
              .filter(file -> file.getFileName().toString().startsWith("scene-"))
              .sorted()
              .toList();
    }
    ThreadSoak soak =
        new ThreadSoak(
            images.subList(0, Integer.parseInt(arguments[4])), Integer.parseInt(arguments[5]));
    try (PrintStream log = new PrintStream(Files.newOutputStream(Path.of(arguments[3])), true)) {
      soak.run(
          Integer.parseInt(arguments[1]), Duration.ofSeconds(Long.parseLong(arguments[2])), log);
    }
    soak.failures.forEach((what, times) -> System.err.println(times + " x " + what));
    // Threads that hang must not keep the process.
    System.exit(soak.failures.isEmpty() ? 0 : 1);
  }

  private void run(int threads, Duration duration, PrintStream log) throws Exception {
    Set<String> filesBefore = temporaryFiles();
    for (Asked asked : questions) {
      expected.put(asked, Expected.of(current.get().chat(request(asked).build())));
      Talk talk = new Talk(asked.image(), asked.strategy());
      if (!expectedTalks.containsKey(talk)) {
        expectedTalks.put(talk, converse(current.get(), talk));
      }
    }
    long begun = System.nanoTime();
    List<Worker> workers = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      workers.add(new Worker(i));
    }
    workers.forEach(Thread::start);
    Thread interrupter = new Thread(() -> interruptThreads(workers));
    Thread reloader =
        new Thread(() -> reload((int) Math.min(MOST_MILLIS_LOADED, duration.toMillis() / 4)));
    interrupter.start();
    reloader.start();
    log.println("seconds rss_kib heap_kib answers ended closed reloads");
    while (System.nanoTime() - begun < duration.toNanos()) {
      Thread.sleep(Math.min(SAMPLE.toMillis(), duration.toMillis()));
      log.println(sample((System.nanoTime() - begun) / 1_000_000_000));
      workers.forEach(Worker::checkHung);
    }
    over = true;
    interrupter.join();
    reloader.join();
    for (Worker worker : workers) {
      worker.join(HUNG.toMillis());
      if (worker.isAlive()) {
        failed("a thread did not end");
      }
    }
    timer.shutdownNow();
    current.get().close();
    // Those of pools that wait for work end a while after it.
    long end = System.nanoTime() + LEFT.toNanos();
    while (!watchers().isEmpty() && System.nanoTime() < end) {
      pause(20);
    }
    watchers().forEach(name -> failed("a thread is left: " + name));
    Set<String> left = temporaryFiles();
    left.removeAll(filesBefore);
    if (!left.isEmpty()) {
      failed("temporary files are left: " + left);
    }
  }

  private static List<String> watchers() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("squint-watch"))
        .toList();
  }

  /** Files of this program in the folder for temporary ones. */
  private static Set<String> temporaryFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.matches("(?i).*(squint|onnxruntime|opencv|tokenizers).*"))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private String sample(long seconds) throws IOException {
    Runtime runtime = Runtime.getRuntime();
    return Stream.of(
            seconds,
            residentKib(),
            (runtime.totalMemory() - runtime.freeMemory()) >> 10,
            answers.get(),
            ended.get(),
            closed.get(),
            reloads.get())
        .map(Objects::toString)
        .reduce((line, value) -> line + " " + value)
        .orElseThrow();
  }

  private static long residentKib() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElse(0);
  }

  private static ChatRequest.Builder request(Asked asked) {
    return ChatRequest.builder()
        .user(ImageInput.of(asked.image()), asked.question())
        .strategy(asked.strategy());
  }

  private static List<Expected> converse(Squint squint, Talk talk) {
    ConversationOptions options = ConversationOptions.builder().strategy(talk.strategy()).build();
    try (Conversation conversation = squint.conversation(options)) {
      List<Expected> turns = new ArrayList<>();
      turns.add(Expected.of(conversation.ask(ImageInput.of(talk.image()), QUESTIONS.get(0))));
      turns.add(Expected.of(conversation.ask(QUESTIONS.get(1))));
      return turns;
    }
  }

  private void failed(String what) {
    failures.computeIfAbsent(what, key -> new AtomicInteger()).incrementAndGet();
  }

  private void interruptThreads(List<Worker> workers) {
    SplittableRandom random = new SplittableRandom(7);
    while (!over) {
      pause(random.nextInt(40));
      workers.get(random.nextInt(workers.size())).interruptInCall();
    }
  }

  private void reload(int mostMillis) {
    SplittableRandom random = new SplittableRandom(8);
    while (!over) {
      pause(random.nextInt(mostMillis));
      try {
        current.getAndSet(Squint.load()).close();
        reloads.incrementAndGet();
      } catch (RuntimeException | Error e) {
        failed("loading: " + e);
      }
    }
  }

  private static void pause(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Asks one question after the other. */
  private final class Worker extends Thread {

    private final SplittableRandom random;
    private volatile long since = Long.MAX_VALUE;
    private volatile Asked under;
    private boolean inCall;
    private boolean wasInterrupted;

    Worker(int number) {
      random = new SplittableRandom(number);
      setDaemon(true);
    }

    @Override
    public void run() {
      while (!over) {
        Asked asked = questions.get(random.nextInt(questions.size()));
        begin(asked);
        Throwable thrown = null;
        try {
          askOrTalk(asked);
        } catch (Throwable e) {
          thrown = e;
        }
        boolean mayFail = end();
        if (thrown != null && !isDocumented(thrown, mayFail)) {
          failed(asked.strategy().spec() + ": " + describe(thrown));
        }
      }
    }

    private void askOrTalk(Asked asked) {
      Squint squint = current.get();
      switch (random.nextInt(8)) {
        case 0 -> {
          Cancellation cancellation = new Cancellation();
          Future<?> cancelling =
              timer.schedule(
                  cancellation::cancel, random.nextInt(MOST_MILLIS_ASKED), TimeUnit.MILLISECONDS);
          check(asked, squint.chat(request(asked).cancellation(cancellation).build()));
          cancelling.cancel(false);
        }
        case 1 -> {
          Duration deadline = Duration.ofMillis(random.nextInt(1, MOST_MILLIS_ASKED));
          check(asked, squint.chat(request(asked).deadline(deadline).build()));
        }
        case 2, 3 -> {
          try (PreparedImage seen = squint.prepare(ImageInput.of(asked.image()))) {
            check(
                asked,
                squint.chat(
                    ChatRequest.builder()
                        .user(seen, asked.question())
                        .strategy(asked.strategy())
                        .build()));
          }
        }
        case 4 -> talk(squint, new Talk(asked.image(), asked.strategy()));
        default -> check(asked, squint.chat(request(asked).build()));
      }
    }

    private void talk(Squint squint, Talk talk) {
      List<Expected> turns = converse(squint, talk);
      answers.addAndGet(turns.size());
      List<Expected> given = expectedTalks.get(talk);
      boolean begins = true;
      for (int turn = 0; turn < turns.size(); turn++) {
        begins &= given.get(turn).text().startsWith(turns.get(turn).text());
      }
      if (!turns.equals(given) && !(isInterrupted() && begins)) {
        failed("%s: %s instead of %s".formatted(talk, turns, given));
      }
    }

    private void check(Asked asked, ChatResponse answer) {
      Expected right = expected.get(asked);
      if (answer.finish() == FinishReason.CANCELLED || answer.finish() == FinishReason.DEADLINE) {
        ended.incrementAndGet();
        if (!right.text().startsWith(answer.text())) {
          failed("%s: ended with %s, but %s".formatted(asked, answer.text(), right));
        }
        return;
      }
      answers.incrementAndGet();
      Expected given = Expected.of(answer);
      if (!given.equals(right)) {
        failed("%s: %s instead of %s".formatted(asked, given, right));
      }
    }

    private synchronized void begin(Asked asked) {
      under = asked;
      since = System.nanoTime();
      inCall = true;
      wasInterrupted = random.nextInt(20) == 0;
      if (wasInterrupted) {
        interrupt();
      }
    }

    private synchronized boolean end() {
      since = Long.MAX_VALUE;
      inCall = false;
      Thread.interrupted();
      return wasInterrupted;
    }

    synchronized void interruptInCall() {
      if (inCall) {
        wasInterrupted = true;
        interrupt();
      }
    }

    void checkHung() {
      if (System.nanoTime() - since > HUNG.toNanos()) {
        failed("hangs: " + under + " at " + Arrays.asList(getStackTrace()).subList(0, 3));
      }
    }

    private boolean isDocumented(Throwable thrown, boolean mayFail) {
      if (thrown instanceof ModelException && CLOSED.equals(thrown.getMessage())) {
        closed.incrementAndGet();
        return true;
      }
      boolean ours = thrown instanceof ModelException || thrown instanceof ImageException;
      if (mayFail && ours && String.valueOf(thrown.getMessage()).contains("interrupted")) {
        ended.incrementAndGet();
        return true;
      }
      return false;
    }

    private String describe(Throwable thrown) {
      StringBuilder text = new StringBuilder(thrown.toString());
      for (Throwable cause = thrown.getCause(); cause != null; cause = cause.getCause()) {
        text.append(" <- ").append(cause);
      }
      return text.append(" at ")
          .append(Arrays.stream(thrown.getStackTrace()).limit(4).toList())
          .toString();
    }
  }
}

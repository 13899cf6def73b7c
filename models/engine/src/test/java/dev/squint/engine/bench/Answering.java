package dev.squint.engine.bench;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Many callers of one model. */
final class Answering {

  private static final int TEXT = 24;
  private static final GenerationOptions STEPS =
      GenerationOptions.builder().maxNewTokens(8).build();

  private Answering() {}

  /**
   * Answers per second of the embedded model, asked by many threads with every strategy in turn,
   * with some limits of splits kept; each limit comes twice, in turns with the others.
   */
  static Map<String, ?> ofEveryStrategy(Path cache, int threads, int seconds, int... limits) {
    List<Strategy> strategies =
        Strategies.available().stream().map(type -> Strategies.parse(type.name())).toList();
    Map<String, List<Double>> perSecond = new LinkedHashMap<>();
    for (int round = 0; round < 2; round++) {
      for (int limit : limits) {
        ModelOptions options =
            ModelOptions.builder().cacheFolder(cache).maxCachedSplits(limit).build();
        try (VisionLanguageModel model = VisionLanguageModel.openEmbedded(options)) {
          ModelInput prompt = prompt(model);
          List<Strategy> usable = usable(model, prompt, strategies);
          perSecond
              .computeIfAbsent(limit == 0 ? "default" : limit + " splits", key -> new ArrayList<>())
              .add(perSecond(model, prompt, usable, threads, seconds));
        }
      }
    }
    Map<String, Object> found = new LinkedHashMap<>(perSecond);
    found.put("threads", threads);
    found.put("strategies", strategies.size());
    return found;
  }

  /** Those that this model can have; each has answered once. */
  private static List<Strategy> usable(
      VisionLanguageModel model, ModelInput prompt, List<Strategy> strategies) {
    for (Strategy strategy : strategies) {
      model.generate(prompt, strategy, STEPS);
    }
    return strategies;
  }

  private static double perSecond(
      VisionLanguageModel model,
      ModelInput prompt,
      List<Strategy> strategies,
      int threads,
      int seconds) {
    AtomicInteger next = new AtomicInteger();
    AtomicInteger answers = new AtomicInteger();
    long start = System.nanoTime();
    long end = start + TimeUnit.SECONDS.toNanos(seconds);
    ExecutorService callers = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int caller = 0; caller < threads; caller++) {
        all.add(
            callers.submit(
                () -> {
                  while (System.nanoTime() < end) {
                    int turn = next.getAndIncrement();
                    model.generate(prompt, strategies.get(turn % strategies.size()), STEPS);
                    answers.incrementAndGet();
                  }
                }));
      }
      for (Future<?> one : all) {
        one.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } finally {
      callers.shutdownNow();
    }
    return answers.get() * 1e9 / (System.nanoTime() - start);
  }

  private static ModelInput prompt(VisionLanguageModel model) {
    int visual = model.facts().visualTokens();
    int grid = (int) Math.sqrt(visual);
    int side = model.config().vision().imageSize();
    Random random = new Random(5);
    long[] ids = random.longs(visual + TEXT, 5, 50).toArray();
    TokenLayout layout =
        new TokenLayout(
            ids.length, List.of(new VisualSpan(0, TEXT / 2, visual, grid, visual / grid)));
    FloatBuffer pixels =
        ByteBuffer.allocateDirect(3 * side * side * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    while (pixels.hasRemaining()) {
      pixels.put((float) random.nextGaussian());
    }
    return new ModelInput(
        ids, layout, List.of(new PixelValues(pixels.flip(), new long[] {1, 3, side, side})));
  }

  /**
   * Milliseconds that a request on a loaded split takes, alone and while the split of another
   * strategy is opened for the first time.
   */
  static Map<String, ?> whileOpening(SyntheticModel model, String opened, int threads) {
    ModelOptions options =
        ModelOptions.builder()
            .threads(threads)
            .cacheFolder(model.folder().resolve("cache"))
            .build();
    ModelInput prompt = model.prompt(TEXT);
    Strategy loaded = Strategies.parse("none");
    Strategy other = Strategies.parse(opened);
    GenerationOptions one = GenerationOptions.builder().maxNewTokens(1).build();
    try (VisionLanguageModel open = VisionLanguageModel.open(model.folder(), options)) {
      List<Double> alone = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        double millis = millis(() -> open.generate(prompt, loaded, one));
        if (i > 1) {
          alone.add(millis);
        }
      }
      List<Double> meanwhile = new ArrayList<>();
      long start = System.nanoTime();
      Thread opening = new Thread(() -> open.generate(prompt, other, one));
      opening.start();
      while (open.cachedSplits() < 2) {
        Thread.onSpinWait();
      }
      while (opening.isAlive()) {
        meanwhile.add(millis(() -> open.generate(prompt, loaded, one)));
      }
      Map<String, Object> found = new LinkedHashMap<>();
      found.put("aloneMillis", alone);
      found.put("meanwhileMillis", meanwhile);
      found.put("openedAfterMillis", (System.nanoTime() - start) / 1e6);
      found.put("ratio", median(meanwhile) / median(alone));
      return found;
    }
  }

  private static double median(List<Double> values) {
    return Pairs.median(values.stream().mapToDouble(Double::doubleValue).toArray());
  }

  private static double millis(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e6;
  }

  /** Numbers separated by commas. */
  static int[] numbers(String text) {
    return Arrays.stream(text.split(",")).mapToInt(Integer::parseInt).toArray();
  }
}

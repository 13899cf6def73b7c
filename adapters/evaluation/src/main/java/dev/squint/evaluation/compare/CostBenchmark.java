package dev.squint.evaluation.compare;

import dev.squint.DataException;
import dev.squint.evaluation.EvaluationListener;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.internal.ModelRunner;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.evaluation.internal.WorkerPool;
import dev.squint.pruning.trace.Timings;
import dev.squint.pruning.trace.Trace;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;

/**
 * Times requests as users make them: the image is read, encoded and asked about for each.
 * Configurations take turns in an order drawn anew in each round, so that a machine that slows down
 * slows all. What the file has is not run again. The first round warms up and is not kept.
 */
final class CostBenchmark implements AutoCloseable {

  private static final int[] CALLERS = {1, 4, 16};
  private static final double NANOS_PER_MILLI = 1e6;
  private static final double NANOS_PER_SECOND = 1e9;

  private final ModelRunner runner;
  private final List<Sample> samples;
  private final int[] questions;
  private final BooleanSupplier stop;
  private final EvaluationListener listener;
  private final boolean reloads;
  private final List<CostRecord> lines = new ArrayList<>();

  /** The batches that have measured something of a configuration. */
  private final Map<String, Set<Integer>> known = new HashMap<>();

  private final Set<String> warmed = new HashSet<>();
  private final JsonlLog log;
  private final int batch;
  private final Energy energy = Energy.ofThisMachine();

  /**
   * Opens the file of earlier rounds.
   *
   * @param file where lines go
   * @param runner puts questions
   * @param samples questions of the data set
   * @param questions places of the questions timed, one a round
   * @param reloads whether a configuration's turn finds its split of the decoder gone, so that the
   *     split has to be loaded by a request that is not timed
   * @param stop whether to end before the next request
   * @param listener is told of each request
   */
  CostBenchmark(
      Path file,
      ModelRunner runner,
      List<Sample> samples,
      int[] questions,
      boolean reloads,
      BooleanSupplier stop,
      EvaluationListener listener) {
    this.runner = runner;
    this.samples = samples;
    this.questions = questions.clone();
    this.reloads = reloads;
    this.stop = stop;
    this.listener = listener;
    this.log = JsonlLog.open(file, line -> add(CostRecord.read(line)));
    this.batch =
        1
            + lines.stream()
                .filter(CostRecord.Request.class::isInstance)
                .mapToInt(line -> ((CostRecord.Request) line).batch())
                .max()
                .orElse(0);
  }

  private void add(CostRecord line) {
    lines.add(line);
    int own = line instanceof CostRecord.Request request ? request.batch() : 0;
    known.computeIfAbsent(key(line.config(), line.what()), key -> new HashSet<>()).add(own);
  }

  private static String key(String config, String what) {
    return config + " " + what;
  }

  private Set<Integer> batches(RunConfig config, String what) {
    return known.getOrDefault(key(config.id(), what), Set.of());
  }

  /** Whether a configuration was timed in a round next to the unpruned one. */
  private boolean isTimed(RunConfig config, RunConfig unpruned, int round) {
    String request = CostRecord.request(round);
    return !Collections.disjoint(batches(config, request), batches(unpruned, request));
  }

  private boolean has(RunConfig config, String what) {
    return !batches(config, what).isEmpty();
  }

  List<CostRecord> lines() {
    return List.copyOf(lines);
  }

  /** Requests that are still to be timed, those that warm up included. */
  long left(List<RunConfig> configs, int rounds) {
    Set<RunConfig> warm = new HashSet<>();
    long left = 0;
    for (int round = 0; round < rounds; round++) {
      List<RunConfig> turn = inTurn(configs, round);
      warm.addAll(turn);
      left += turn.size();
    }
    return left + warm.size();
  }

  /**
   * Times single requests.
   *
   * @param configs the configurations, the unpruned one first
   */
  void time(List<RunConfig> configs, int rounds) {
    listener.started("timing", left(configs, rounds));
    timeAll(configs, rounds);
    listener.ended();
  }

  private void timeAll(List<RunConfig> configs, int rounds) {
    Set<RunConfig> warm = new LinkedHashSet<>();
    for (int round = 0; round < rounds; round++) {
      warm.addAll(inTurn(configs, round));
    }
    for (RunConfig config : warm) {
      if (!stop.getAsBoolean()) {
        warm(config, questions[0]);
        listener.stepped(false);
      }
    }
    for (int round = 0; round < rounds; round++) {
      int question = questions[round % questions.length];
      for (RunConfig config : inTurn(configs, round)) {
        if (stop.getAsBoolean()) {
          return;
        }
        warm(config, question);
        keep(request(config, round, question));
        listener.stepped(false);
      }
    }
  }

  /**
   * The configurations that are still to be timed in a round, in a drawn order. The unpruned one is
   * timed again next to those that come later: what the machine did then says nothing of now.
   */
  private List<RunConfig> inTurn(List<RunConfig> configs, int round) {
    List<RunConfig> order = new ArrayList<>();
    for (RunConfig config : configs) {
      if (!isTimed(config, configs.get(0), round)) {
        order.add(config);
      }
    }
    if (!order.isEmpty() && !order.contains(configs.get(0))) {
      order.add(configs.get(0));
    }
    Collections.shuffle(order, new Random(round));
    return order;
  }

  /**
   * Asks without a clock where a configuration is new to this process or its split was put away
   * since.
   */
  private void warm(RunConfig config, int question) {
    if (warmed.add(config.id()) || reloads) {
      runner.askAlone(config, samples.get(question), question);
    }
  }

  private CostRecord.Request request(RunConfig config, int round, int question) {
    long start = System.nanoTime();
    Trace trace = runner.askAlone(config, samples.get(question), question).trace().orElseThrow();
    long total = System.nanoTime() - start;
    Timings timings = trace.timings();
    int steps = Math.max(1, timings.generatedTokens());
    return new CostRecord.Request(
        config.id(),
        batch,
        round,
        timings.visionNanos() / NANOS_PER_MILLI,
        timings.prefillNanos() / NANOS_PER_MILLI,
        timings.selectionNanos() / NANOS_PER_MILLI,
        timings.decodeNanos() / NANOS_PER_MILLI / steps,
        total / NANOS_PER_MILLI,
        trace.prefillFlops());
  }

  private synchronized void keep(CostRecord line) {
    log.append(line.toJson());
    add(line);
  }

  /** Requests under load that are still to be made. */
  long loadLeft(List<RunConfig> configs, int rounds, int requests) {
    long left = 0;
    for (int round = 0; round < rounds; round++) {
      for (RunConfig config : configs) {
        for (int callers : CALLERS) {
          left += has(config, CostRecord.block(round, callers)) ? 0 : Math.max(callers, requests);
        }
      }
    }
    return left;
  }

  /**
   * Lets several callers ask at once.
   *
   * @param requests how many in a block; one of each caller where there are more callers
   */
  void load(List<RunConfig> configs, int rounds, int requests) {
    listener.started("load", loadLeft(configs, rounds, requests));
    loadAll(configs, rounds, requests);
    listener.ended();
  }

  private void loadAll(List<RunConfig> configs, int rounds, int requests) {
    for (int round = 0; round < rounds; round++) {
      List<RunConfig> order = new ArrayList<>(configs);
      Collections.shuffle(order, new Random(round));
      for (RunConfig config : order) {
        for (int callers : CALLERS) {
          if (stop.getAsBoolean()) {
            return;
          }
          if (!has(config, CostRecord.block(round, callers))) {
            keep(block(config, round, callers, Math.max(callers, requests)));
          }
        }
      }
    }
  }

  private CostRecord.Block block(RunConfig config, int round, int callers, int requests) {
    List<Callable<Double>> work = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      int question = questions[i % questions.length];
      work.add(
          () -> {
            double millis = request(config, round, question).totalMillis();
            listener.stepped(false);
            return millis;
          });
    }
    warm(config, questions[0]);
    long[] counters = energy.read();
    long start = System.nanoTime();
    List<Double> answered = new WorkerPool(callers).all(work);
    double seconds = (System.nanoTime() - start) / NANOS_PER_SECOND;
    double[] millis = answered.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return new CostRecord.Block(
        config.id(),
        round,
        callers,
        requests,
        seconds,
        Quantiles.median(millis),
        Quantiles.p95(millis),
        energy.since(counters).orElse(0));
  }

  /**
   * Measures the memory of each configuration.
   *
   * @param processes how many at once
   * @return why the first that failed did, if one has; the others are measured all the same
   */
  Optional<String> memory(List<RunConfig> configs, PeakMemoryProbe process, int processes) {
    List<Callable<Optional<String>>> work = new ArrayList<>();
    for (RunConfig config : configs) {
      if (!has(config, CostRecord.MEMORY)) {
        work.add(() -> stop.getAsBoolean() ? Optional.empty() : memory(config, process));
      }
    }
    listener.started("memory", work.size());
    Optional<String> failed =
        new WorkerPool(processes).all(work).stream().flatMap(Optional::stream).findFirst();
    listener.ended();
    return failed;
  }

  private Optional<String> memory(RunConfig config, PeakMemoryProbe process) {
    long peak;
    try {
      peak = process.peakBytes(config, samples.get(questions[0]));
    } catch (DataException e) {
      listener.stepped(true);
      return Optional.of(e.getMessage());
    }
    keep(new CostRecord.Memory(config.id(), peak));
    listener.stepped(false);
    return Optional.empty();
  }

  @Override
  public void close() {
    log.close();
  }
}

package dev.squint.examples.compare;

import dev.squint.adapters.Answer;
import dev.squint.adapters.DataException;
import dev.squint.examples.data.Sample;
import dev.squint.pruning.Timings;
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

/**
 * Times requests as users make them: the picture is read, encoded and asked about for each. Cells
 * take turns in an order drawn anew in each round, so that a machine that slows down slows all.
 * What the file has is not run again. The first round warms up and is not kept.
 */
final class Costs implements AutoCloseable {

  private static final int[] CALLERS = {1, 4, 16};
  private static final double NANOS_PER_MILLI = 1e6;
  private static final double NANOS_PER_SECOND = 1e9;

  private final Asker asker;
  private final List<Sample> samples;
  private final int[] questions;
  private final Stop stop;
  private final boolean reloads;
  private final List<CostLine> lines = new ArrayList<>();

  /** The batches that have measured something of a cell. */
  private final Map<String, Set<Integer>> known = new HashMap<>();

  private final Set<String> warmed = new HashSet<>();
  private final Ledger ledger;
  private final int batch;
  private final Energy energy = Energy.ofThisMachine();

  /**
   * Opens the file of earlier rounds.
   *
   * @param file where lines go
   * @param asker puts questions
   * @param samples questions of the data set
   * @param questions places of the questions timed, one a round
   * @param reloads whether a cell's turn finds its cut of the decoder gone, so that the cut has to
   *     be loaded by a request that is not timed
   * @param stop ends the run early
   */
  Costs(Path file, Asker asker, List<Sample> samples, int[] questions, boolean reloads, Stop stop) {
    this.asker = asker;
    this.samples = samples;
    this.questions = questions.clone();
    this.reloads = reloads;
    this.stop = stop;
    this.ledger = Ledger.open(file, line -> add(CostLine.read(line)));
    this.batch =
        1
            + lines.stream()
                .filter(CostLine.Request.class::isInstance)
                .mapToInt(line -> ((CostLine.Request) line).batch())
                .max()
                .orElse(0);
  }

  private void add(CostLine line) {
    lines.add(line);
    int own = line instanceof CostLine.Request request ? request.batch() : 0;
    known.computeIfAbsent(key(line.cell(), line.what()), key -> new HashSet<>()).add(own);
  }

  private static String key(String cell, String what) {
    return cell + " " + what;
  }

  private Set<Integer> batches(Cell cell, String what) {
    return known.getOrDefault(key(cell.id(), what), Set.of());
  }

  /** Whether a cell was timed in a round beside the unpruned one. */
  private boolean isTimed(Cell cell, Cell unpruned, int round) {
    String request = CostLine.request(round);
    return !Collections.disjoint(batches(cell, request), batches(unpruned, request));
  }

  private boolean has(Cell cell, String what) {
    return !batches(cell, what).isEmpty();
  }

  List<CostLine> lines() {
    return List.copyOf(lines);
  }

  /** Requests that are still to be timed, those that warm up included. */
  long left(List<Cell> cells, int rounds) {
    Set<Cell> warm = new HashSet<>();
    long left = 0;
    for (int round = 0; round < rounds; round++) {
      List<Cell> turn = inTurn(cells, round);
      warm.addAll(turn);
      left += turn.size();
    }
    return left + warm.size();
  }

  /**
   * Times single requests.
   *
   * @param cells the cells, the unpruned one first
   */
  void time(List<Cell> cells, int rounds, Progress progress) {
    Set<Cell> warm = new LinkedHashSet<>();
    for (int round = 0; round < rounds; round++) {
      warm.addAll(inTurn(cells, round));
    }
    for (Cell cell : warm) {
      if (!stop.wanted()) {
        warm(cell, questions[0]);
        progress.step();
      }
    }
    for (int round = 0; round < rounds; round++) {
      int question = questions[round % questions.length];
      for (Cell cell : inTurn(cells, round)) {
        if (stop.wanted()) {
          return;
        }
        warm(cell, question);
        keep(request(cell, round, question));
        progress.step();
      }
    }
  }

  /**
   * The cells that are still to be timed in a round, in a drawn order. The unpruned one is timed
   * again beside those that come later: what the machine did then says nothing of now.
   */
  private List<Cell> inTurn(List<Cell> cells, int round) {
    List<Cell> order = new ArrayList<>();
    for (Cell cell : cells) {
      if (!isTimed(cell, cells.get(0), round)) {
        order.add(cell);
      }
    }
    if (!order.isEmpty() && !order.contains(cells.get(0))) {
      order.add(cells.get(0));
    }
    Collections.shuffle(order, new Random(round));
    return order;
  }

  /** Asks without a clock where a cell is new to this process or its cut was put away since. */
  private void warm(Cell cell, int question) {
    if (warmed.add(cell.id()) || reloads) {
      asker.askAlone(cell, samples.get(question), question);
    }
  }

  private CostLine.Request request(Cell cell, int round, int question) {
    long start = System.nanoTime();
    Answer answer = asker.askAlone(cell, samples.get(question), question);
    long total = System.nanoTime() - start;
    Timings timings = answer.trace().timings();
    int steps = Math.max(1, timings.generatedTokens());
    return new CostLine.Request(
        cell.id(),
        batch,
        round,
        timings.visionNanos() / NANOS_PER_MILLI,
        timings.prefillNanos() / NANOS_PER_MILLI,
        timings.selectionNanos() / NANOS_PER_MILLI,
        timings.decodeNanos() / NANOS_PER_MILLI / steps,
        total / NANOS_PER_MILLI,
        answer.trace().prefillFlops());
  }

  private synchronized void keep(CostLine line) {
    ledger.append(line.toJson());
    add(line);
  }

  /** Requests under load that are still to be made. */
  long loadLeft(List<Cell> cells, int rounds, int requests) {
    long left = 0;
    for (int round = 0; round < rounds; round++) {
      for (Cell cell : cells) {
        for (int callers : CALLERS) {
          left += has(cell, CostLine.block(round, callers)) ? 0 : requests;
        }
      }
    }
    return left;
  }

  /** Lets several callers ask at once. */
  void load(List<Cell> cells, int rounds, int requests, Progress progress) {
    for (int round = 0; round < rounds; round++) {
      List<Cell> order = new ArrayList<>(cells);
      Collections.shuffle(order, new Random(round));
      for (Cell cell : order) {
        for (int callers : CALLERS) {
          if (stop.wanted()) {
            return;
          }
          if (!has(cell, CostLine.block(round, callers))) {
            keep(block(cell, round, callers, requests, progress));
          }
        }
      }
    }
  }

  private CostLine.Block block(Cell cell, int round, int callers, int requests, Progress progress) {
    List<Callable<Double>> work = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      int question = questions[i % questions.length];
      work.add(
          () -> {
            double millis = request(cell, round, question).totalMillis();
            progress.step();
            return millis;
          });
    }
    warm(cell, questions[0]);
    long[] counters = energy.read();
    long start = System.nanoTime();
    List<Double> answered = new Pool(callers).all(work);
    double seconds = (System.nanoTime() - start) / NANOS_PER_SECOND;
    double[] millis = answered.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return new CostLine.Block(
        cell.id(),
        round,
        callers,
        requests,
        seconds,
        Quantiles.median(millis),
        Quantiles.p95(millis),
        energy.since(counters).orElse(0));
  }

  /** Cells whose memory is still to be measured. */
  long memoryLeft(List<Cell> cells) {
    return cells.stream().filter(cell -> !has(cell, CostLine.MEMORY)).count();
  }

  /**
   * Measures the memory of each cell.
   *
   * @param processes how many at once
   * @return why the first that failed did, if one has; the others are measured all the same
   */
  Optional<String> memory(List<Cell> cells, OwnProcess process, int processes, Progress progress) {
    List<Callable<Optional<String>>> work = new ArrayList<>();
    for (Cell cell : cells) {
      if (!has(cell, CostLine.MEMORY)) {
        work.add(() -> stop.wanted() ? Optional.empty() : memory(cell, process, progress));
      }
    }
    return new Pool(processes).all(work).stream().flatMap(Optional::stream).findFirst();
  }

  private Optional<String> memory(Cell cell, OwnProcess process, Progress progress) {
    long peak;
    try {
      peak = process.peakBytes(cell, samples.get(questions[0]));
    } catch (DataException e) {
      progress.error();
      progress.step();
      return Optional.of(e.getMessage());
    }
    keep(new CostLine.Memory(cell.id(), peak));
    progress.step();
    return Optional.empty();
  }

  @Override
  public void close() {
    ledger.close();
  }
}

package dev.squint.examples.compare;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.adapters.Answer;
import dev.squint.examples.data.Sample;
import dev.squint.pruning.Timings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;

/**
 * Times requests as users make them: the picture is read, encoded and asked about for each. Cells
 * take turns in an order drawn anew in each round, so that a machine that slows down slows all.
 * Rounds that {@code costs.jsonl} has are not run again. The first round warms up and is not kept.
 */
final class Costs implements AutoCloseable {

  private static final int[] CALLERS = {1, 4, 16};
  private static final double NANOS_PER_MILLI = 1e6;
  private static final double NANOS_PER_SECOND = 1e9;

  private final Asker asker;
  private final List<Sample> samples;
  private final int[] questions;
  private final Stop stop;
  private final List<CostLine> lines = Collections.synchronizedList(new ArrayList<>());
  private final Ledger ledger;
  private final Energy energy = Energy.ofThisMachine();

  /**
   * Opens the file of earlier rounds.
   *
   * @param file where lines go
   * @param asker puts questions
   * @param samples questions of the data set
   * @param questions places of the questions timed, one a round
   * @param stop ends the run early
   */
  Costs(Path file, Asker asker, List<Sample> samples, int[] questions, Stop stop) {
    this.asker = asker;
    this.samples = samples;
    this.questions = questions.clone();
    this.stop = stop;
    this.ledger = Ledger.open(file, this::known);
  }

  private void known(JsonNode line) {
    lines.add(CostLine.read(line));
  }

  List<CostLine> lines() {
    return List.copyOf(lines);
  }

  /** Requests that are still to be timed, those that warm up included. */
  long left(List<Cell> cells, int rounds) {
    long left = 0;
    for (int round = 0; round < rounds; round++) {
      for (Cell cell : cells) {
        left += isTimed(cell, round) ? 0 : 1;
      }
    }
    return left == 0 ? 0 : left + cells.size();
  }

  /** Times single requests. */
  void time(List<Cell> cells, int rounds, Progress progress) {
    if (left(cells, rounds) == 0) {
      return;
    }
    for (Cell cell : cells) {
      if (!stop.wanted()) {
        request(cell, 0, questions[0]);
        progress.step();
      }
    }
    for (int round = 0; round < rounds; round++) {
      for (Cell cell : inTurn(cells, round)) {
        if (stop.wanted()) {
          return;
        }
        if (!isTimed(cell, round)) {
          keep(request(cell, round, questions[round % questions.length]));
          progress.step();
        }
      }
    }
  }

  private boolean isTimed(Cell cell, int round) {
    return lines.stream()
        .anyMatch(
            line ->
                line instanceof CostLine.Request request
                    && request.round() == round
                    && request.cell().equals(cell.id()));
  }

  private CostLine.Request request(Cell cell, int round, int question) {
    long start = System.nanoTime();
    Answer answer = asker.askAlone(cell, samples.get(question), question);
    long total = System.nanoTime() - start;
    Timings timings = answer.trace().timings();
    int steps = Math.max(1, timings.generatedTokens());
    return new CostLine.Request(
        cell.id(),
        round,
        timings.visionNanos() / NANOS_PER_MILLI,
        timings.prefillNanos() / NANOS_PER_MILLI,
        timings.selectionNanos() / NANOS_PER_MILLI,
        timings.decodeNanos() / NANOS_PER_MILLI / steps,
        total / NANOS_PER_MILLI,
        answer.trace().prefillFlops());
  }

  private void keep(CostLine line) {
    ledger.append(line.toJson());
    lines.add(line);
  }

  private static List<Cell> inTurn(List<Cell> cells, int round) {
    List<Cell> order = new ArrayList<>(cells);
    Collections.shuffle(order, new Random(round));
    return order;
  }

  /** Requests under load that are still to be made. */
  long loadLeft(List<Cell> cells, int rounds, int requests) {
    long left = 0;
    for (int round = 0; round < rounds; round++) {
      for (Cell cell : cells) {
        for (int callers : CALLERS) {
          left += isLoaded(cell, round, callers) ? 0 : requests;
        }
      }
    }
    return left;
  }

  /** Lets several callers ask at once. */
  void load(List<Cell> cells, int rounds, int requests, Progress progress) {
    for (int round = 0; round < rounds; round++) {
      for (Cell cell : inTurn(cells, round)) {
        for (int callers : CALLERS) {
          if (stop.wanted()) {
            return;
          }
          if (!isLoaded(cell, round, callers)) {
            keep(block(cell, round, callers, requests, progress));
          }
        }
      }
    }
  }

  private boolean isLoaded(Cell cell, int round, int callers) {
    return lines.stream()
        .anyMatch(
            line ->
                line instanceof CostLine.Block block
                    && block.round() == round
                    && block.callers() == callers
                    && block.cell().equals(cell.id()));
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
    return cells.stream().filter(cell -> !isMeasured(cell)).count();
  }

  /**
   * Measures the memory of each cell.
   *
   * @throws dev.squint.adapters.DataException if that failed; what is measured is kept
   */
  void memory(List<Cell> cells, OwnProcess process, Progress progress) {
    for (Cell cell : cells) {
      if (stop.wanted()) {
        return;
      }
      if (!isMeasured(cell)) {
        keep(new CostLine.Memory(cell.id(), process.peakBytes(cell, samples.get(questions[0]))));
        progress.step();
      }
    }
  }

  private boolean isMeasured(Cell cell) {
    return lines.stream()
        .anyMatch(line -> line instanceof CostLine.Memory && line.cell().equals(cell.id()));
  }

  @Override
  public void close() {
    ledger.close();
  }
}

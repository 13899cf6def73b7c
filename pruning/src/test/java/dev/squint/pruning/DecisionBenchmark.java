package dev.squint.pruning;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** How long a strategy decides over 2,880 visual tokens, all its sites together. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "-Xmx2g")
public class DecisionBenchmark {

  /** The strategy's spec. */
  @Param("none")
  public String strategy;

  /** 5 tiles of 576 tokens, or 1 piece of 2,880. */
  @Param({"5", "1"})
  public int tiles;

  private Decisions decisions;

  /** Draws what is observed. */
  @Setup
  public void draw() {
    decisions = Decisions.of(strategy, tiles);
  }

  /**
   * Decides at every site.
   *
   * @return the selections
   */
  @Benchmark
  public List<Selection> decide() {
    List<Selection> selections = new ArrayList<>();
    for (Decisions.Site site : decisions.sites()) {
      selections.add(site.decide());
    }
    return selections;
  }
}

package dev.squint.pruning;

import dev.squint.pruning.site.Selection;
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

/** How long a strategy decides over the visual tokens of an image, all its sites together. */
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

  /** One piece of 576 tokens, five tiles of as many, or one piece of 2,880. */
  @Param({"1x576", "5x576", "1x2880"})
  public String image;

  private Decisions decisions;

  /** Draws what is observed. */
  @Setup
  public void draw() {
    decisions = Decisions.of(strategy, image);
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

package dev.squint.onnx.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.onnx.inspect.TallGraph.Filling;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.graph.Dominators;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.report.ModelReport;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is looked for in a graph takes time that grows with the graph, not with its square. */
class TallGraphTest {

  private static final int GROWTH = 8;

  /** Eight times as much would be exact, 64 times as much quadratic. */
  private static final double MOST_FOR_GROWN = 4 * GROWTH;

  /** Next to other work a single measurement can take several times as long. */
  private static final int TRIALS = 5;

  @TempDir static Path temp;

  @BeforeAll
  static void warmUp() throws IOException {
    cost(100, 4, Filling.CHAIN);
    cost(1, 1000, Filling.COMB);
  }

  /** Seconds of processor time that an inspection takes. */
  private static double cost(int layers, int filling, Filling shape) throws IOException {
    Path file = TallGraph.decoder(temp.resolve("tall.onnx"), layers, filling, shape);
    long start = cpu();
    ModelReport report = ModelInspector.inspect(file, "");
    double seconds = (cpu() - start) / 1e9;
    assertThat(report.decoder().orElseThrow().attention()).hasSize(layers);
    assertThat(report.decoder().orElseThrow().unsplittable()).isEmpty();
    return seconds;
  }

  @ParameterizedTest
  @CsvSource({"100, 4, CHAIN", "1, 4000, CHAIN", "1, 2000, COMB", "1, 4000, FAN"})
  void timeGrowsWithTheGraphNotWithItsSquare(int layers, int filling, Filling shape)
      throws IOException {
    boolean layered = layers > 1;
    double small = Double.MAX_VALUE;
    double large = Double.MAX_VALUE;
    for (int trial = 0; trial < TRIALS && large >= MOST_FOR_GROWN * small; trial++) {
      small = Math.min(small, cost(layers, filling, shape));
      large =
          Math.min(
              large,
              layered
                  ? cost(GROWTH * layers, filling, shape)
                  : cost(layers, GROWTH * filling, shape));
    }
    assertThat(large).as("after %.3f s", small).isLessThan(MOST_FOR_GROWN * small);
  }

  /** Step by step it would climb five thousand million times, for several seconds. */
  @Test
  void climbsFarInFewSteps() throws IOException {
    Path file = TallGraph.decoder(temp.resolve("comb.onnx"), 1, 100_000, Filling.COMB);
    OnnxGraph graph = OnnxGraph.read(file);
    double seconds = Double.MAX_VALUE;
    for (int trial = 0; trial < TRIALS && seconds >= 2; trial++) {
      long start = cpu();
      Dominators dominators = new Dominators(graph, DecoderGraph.EMBEDS);
      seconds = (cpu() - start) / 1e9;
      assertThat(dominators.reaches(graph.producer(DecoderGraph.LOGITS))).isTrue();
    }
    assertThat(seconds).isLessThan(2);
  }

  private static long cpu() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  @Test
  void searchesWhatManyPathsLeadToOnce() throws IOException {
    Path file = TallGraph.diamonds(temp.resolve("diamonds.onnx"), 60);
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(file));
    assertThat(decoder.attentionEncoding(0)).isEqualTo("Softmax");
    assertThat(decoder.feedForward(0).activations()).isEqualTo("neurons");
  }
}

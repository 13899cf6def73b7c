package dev.squint.onnx.internal.graph;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/**
 * Dominators on random graphs against the definition: take a node away and see what can no longer
 * be reached.
 */
class DominatorsTest {

  @Property(tries = 200)
  void dominatorsAreTheNodesThatCannotBeAvoided(
      @ForAll @IntRange(min = 1, max = 25) int size, @ForAll long seed) throws IOException {
    OnnxGraph graph = randomGraph(size, new Random(seed));
    Dominators dominators = new Dominators(graph, "source");
    BitSet reached = graph.dependents(Set.of("source"));
    for (int node = 0; node < size; node++) {
      assertThat(dominators.reaches(node)).isEqualTo(reached.get(node));
    }
    for (int node = reached.nextSetBit(0); node >= 0; node = reached.nextSetBit(node + 1)) {
      BitSet chain = new BitSet();
      for (int above = dominators.above(node);
          above != Dominators.ROOT;
          above = dominators.above(above)) {
        chain.set(above);
      }
      for (int other = 0; other < node; other++) {
        boolean avoidable = !reached.get(other) || reachesWithout(graph, other, node);
        assertThat(chain.get(other)).as("%d over %d", other, node).isEqualTo(!avoidable);
      }
    }
  }

  private static boolean reachesWithout(OnnxGraph graph, int removed, int target) {
    BitSet seen = new BitSet();
    for (int i = 0; i <= target; i++) {
      NodeProto node = graph.nodes().get(i);
      if (i == removed || OnnxGraph.readsShapeOnly(node)) {
        continue;
      }
      for (String input : node.getInputList()) {
        if (input.equals("source")
            || (graph.producer(input) >= 0 && seen.get(graph.producer(input)))) {
          seen.set(i);
        }
      }
    }
    return seen.get(target);
  }

  private static OnnxGraph randomGraph(int size, Random random) throws IOException {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .addInput(ValueInfoProto.newBuilder().setName("source"))
            .addInput(ValueInfoProto.newBuilder().setName("other"))
            .addOutput(ValueInfoProto.newBuilder().setName("t" + (size - 1)));
    for (int i = 0; i < size; i++) {
      NodeProto.Builder node =
          NodeProto.newBuilder()
              .setOpType(random.nextInt(8) == 0 ? "Shape" : "Op")
              .addOutput("t" + i);
      for (int k = 0; k <= random.nextInt(3); k++) {
        int from = random.nextInt(i + 2) - 2;
        node.addInput(from == -2 ? "other" : from == -1 ? "source" : "t" + from);
      }
      graph.addNode(node);
    }
    Path file = Files.createTempFile("random", ".onnx");
    try {
      Files.write(
          file,
          ModelProto.newBuilder()
              .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
              .setGraph(graph)
              .build()
              .toByteArray());
      return OnnxGraph.read(file);
    } finally {
      Files.delete(file);
    }
  }
}

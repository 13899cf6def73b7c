package dev.squint.onnx.inspect;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.graph.GraphNodes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Decoders of any number of layers and nodes, with one number per weight. */
final class TallGraph {

  /** What lies between the attention of a layer and its end. */
  enum Filling {
    /** Each node reads the one before it. */
    CHAIN,
    /** A chain of which every link is added to its beginning, their nearest common dominator. */
    COMB,
    /** All nodes read the attention, and one reads them all. */
    FAN
  }

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("tall");
  private int count;

  private TallGraph() {}

  /** Writes a decoder of so many layers, each with so many nodes beyond its attention. */
  static Path decoder(Path file, int layers, int filling, Filling shape) throws IOException {
    TallGraph tall = new TallGraph();
    tall.begin();
    String hidden = DecoderGraph.EMBEDS;
    for (int layer = 0; layer < layers; layer++) {
      hidden = tall.layer(layer, hidden, filling, shape);
    }
    return tall.write(file, hidden);
  }

  private void begin() {
    graph
        .addInput(GraphNodes.value(DecoderGraph.EMBEDS, GraphNodes.FLOAT, 1L, "n", 4L))
        .addInput(GraphNodes.value(DecoderGraph.POSITIONS, GraphNodes.INT64, 1L, "n"))
        .addOutput(GraphNodes.value(DecoderGraph.LOGITS, GraphNodes.FLOAT, 1L, "n", 9L));
  }

  private Path write(Path file, String hidden) throws IOException {
    named("Identity", DecoderGraph.LOGITS, hidden);
    return Files.write(
        file,
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(graph)
            .build()
            .toByteArray());
  }

  /**
   * Writes a decoder of two layers. The feed-forward of the first one ends in so many sums of
   * something with itself, so that two to that power paths lead from its last matrix to its end;
   * after another such tower there is none.
   */
  static Path diamonds(Path file, int sums) throws IOException {
    TallGraph tall = new TallGraph();
    tall.begin();
    String first = tall.layer(0, DecoderGraph.EMBEDS, 0, Filling.CHAIN);
    String blind = tall.sums(tall.add("Tanh", first), sums);
    String matrix = tall.add("MatMul", tall.named("Neg", "neurons", first), first);
    String end = tall.add("Add", first, tall.add("Add", blind, tall.sums(matrix, sums)));
    String last = tall.layer(1, end, 0, Filling.CHAIN);
    return tall.write(file, last);
  }

  private String sums(String of, int count) {
    String sum = of;
    for (int i = 0; i < count; i++) {
      sum = add("Add", sum, sum);
    }
    return sum;
  }

  private String layer(int layer, String hidden, int filling, Filling shape) {
    String[] present = new String[2];
    for (int i = 0; i < 2; i++) {
      String past = DecoderGraph.past(layer, i == 0);
      present[i] = DecoderGraph.present(layer, i == 0);
      graph.addInput(GraphNodes.value(past, GraphNodes.FLOAT, 1L, 1L, "past", 4L));
      graph.addOutput(GraphNodes.value(present[i], GraphNodes.FLOAT, 1L, 1L, "all", 4L));
      graph.addNode(
          GraphNodes.node("Concat", List.of(past, add("Mul", hidden, hidden)), present[i])
              .addAttribute(GraphNodes.integer("axis", 2)));
    }
    String scores = add("Softmax", add("MatMul", hidden, present[0]));
    String end = fill(add("MatMul", scores, present[1]), filling, shape);
    return add("Add", hidden, end);
  }

  private String fill(String start, int count, Filling shape) {
    String last = start;
    List<String> ends = new ArrayList<>(List.of(start));
    for (int i = 0; i < count; i++) {
      switch (shape) {
        case CHAIN -> last = add("Neg", last);
        case COMB -> {
          last = add("Neg", last);
          ends.add(add("Add", last, start));
        }
        case FAN -> ends.add(add("Neg", start));
      }
    }
    ends.add(last);
    return add("Sum", ends.toArray(String[]::new));
  }

  private String add(String operator, String... inputs) {
    return named(operator, "t" + count++, inputs);
  }

  private String named(String operator, String output, String... inputs) {
    graph.addNode(GraphNodes.node(operator, List.of(inputs), output));
    return output;
  }
}

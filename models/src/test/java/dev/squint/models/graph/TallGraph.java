package dev.squint.models.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Decoders of any number of layers and nodes, with one number per weight. */
final class TallGraph {

  /** What lies between the attention of a layer and its end. */
  enum Filling {
    /** Each node reads the one before it. */
    CHAIN,
    /** Each node reads the two before it, so that the nearest common dominator is far up. */
    LADDER,
    /** All nodes read the attention, and one reads them all. */
    FAN
  }

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("tall");
  private int count;

  private TallGraph() {}

  /** Writes a decoder of so many layers, each with so many nodes beyond its attention. */
  static Path decoder(Path file, int layers, int filling, Filling shape) throws IOException {
    TallGraph tall = new TallGraph();
    tall.graph
        .addInput(GraphNodes.value(DecoderGraph.EMBEDS, GraphNodes.FLOAT, 1L, "n", 4L))
        .addInput(GraphNodes.value(DecoderGraph.POSITIONS, GraphNodes.INT64, 1L, "n"))
        .addOutput(GraphNodes.value(DecoderGraph.LOGITS, GraphNodes.FLOAT, 1L, "n", 9L));
    String hidden = DecoderGraph.EMBEDS;
    for (int layer = 0; layer < layers; layer++) {
      hidden = tall.layer(layer, hidden, filling, shape);
    }
    tall.named("Identity", DecoderGraph.LOGITS, hidden);
    Files.write(
        file,
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(tall.graph)
            .build()
            .toByteArray());
    return file;
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
    String before = start;
    String last = start;
    String[] all = new String[count];
    for (int i = 0; i < count; i++) {
      String next =
          switch (shape) {
            case CHAIN -> add("Neg", last);
            case LADDER -> add("Add", before, last);
            case FAN -> add("Neg", start);
          };
      before = last;
      last = next;
      all[i] = next;
    }
    return shape == Filling.FAN && count > 0 ? add("Sum", all) : last;
  }

  private String add(String operator, String... inputs) {
    return named(operator, "t" + count++, inputs);
  }

  private String named(String operator, String output, String... inputs) {
    graph.addNode(GraphNodes.node(operator, List.of(inputs), output));
    return output;
  }
}

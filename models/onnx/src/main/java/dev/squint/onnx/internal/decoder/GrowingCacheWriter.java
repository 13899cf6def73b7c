package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * Writes a {@linkplain KvCacheLayout.Growing growing} cache into a segment: past and present are
 * one piece of memory with room for further tokens. A {@code GroupQueryAttention} does that by
 * itself. Where an export appends with {@code Concat}, new tokens are scattered into the room
 * instead, and a slice of what is there now takes the place of the concatenation; that copies as
 * much as it did, but for one layer at a time, so that no second cache stands beside the first.
 */
final class GrowingCacheWriter {

  private static final String FUSED = "GroupQueryAttention";
  private static final int FUSED_PAST = 3;
  private static final int HEADS = 1;
  private static final int TOKENS = 2;
  private static final int WIDTH = 3;
  private static final int RANK = 4;

  private final DecoderGraph decoder;
  private final OnnxGraph graph;
  private final SegmentSpec spec;
  private final GraphProto.Builder out;
  private final GraphNodes nodes;
  private final Map<String, String> roomOfPresent = new HashMap<>();
  private final Map<String, String> origins = new HashMap<>();
  private final Map<Long, String> places = new HashMap<>();
  private final Set<String> numbers = new LinkedHashSet<>();

  GrowingCacheWriter(
      DecoderGraph decoder, SegmentSpec spec, GraphProto.Builder out, GraphNodes nodes) {
    this.decoder = decoder;
    this.graph = decoder.graph();
    this.spec = spec;
    this.out = out;
    this.nodes = nodes;
    for (int layer = spec.from(); layer < spec.to(); layer++) {
      for (boolean key : new boolean[] {true, false}) {
        String past = DecoderGraph.past(layer, key);
        String room = KvCacheNames.room(layer, key);
        int type = decoder.elementType(past);
        roomOfPresent.put(DecoderGraph.present(layer, key), room);
        out.addInput(
            GraphNodes.value(
                past,
                type,
                1L,
                graph.inputDimension(past, HEADS),
                "",
                graph.inputDimension(past, WIDTH)));
        out.addOutput(GraphNodes.shapeless(room, type));
      }
    }
  }

  /** Whether the cache of a layer can grow where it lies. */
  static boolean suits(OnnxGraph graph, int layer) {
    return suits(graph, layer, true) && suits(graph, layer, false);
  }

  private static boolean suits(OnnxGraph graph, int layer, boolean key) {
    String past = DecoderGraph.past(layer, key);
    String present = DecoderGraph.present(layer, key);
    int producer = graph.producer(present);
    boolean sized =
        graph.inputs().get(past).getType().getTensorType().getShape().getDimCount() == RANK
            && graph.inputDimension(past, HEADS) > 0;
    int type = graph.types().of(past);
    boolean numbers = type == GraphNodes.FLOAT || type == TensorProto.DataType.FLOAT16.getNumber();
    if (producer < 0 || !sized || !numbers) {
      return false;
    }
    Attributes node = new Attributes(graph.nodes().get(producer));
    boolean appends =
        isA(node.node(), "Concat")
            && node.node().getInputCount() == 2
            && origin(graph, node.input(0)).equals(past)
            && !origin(graph, node.input(1)).equals(past)
            && (node.integer("axis", 0) == TOKENS || node.integer("axis", 0) == TOKENS - RANK);
    int place = key ? 0 : 1;
    boolean fused =
        isFused(node.node())
            && node.input(FUSED_PAST + place).equals(past)
            && node.output(1 + place).equals(present)
            && graph.readers(present).isEmpty();
    return (appends || fused) && isReadBy(graph, past, producer);
  }

  private static boolean isA(NodeProto node, String type) {
    return node.getOpType().equals(type) && new Attributes(node).isStandard();
  }

  private static boolean isFused(NodeProto node) {
    return node.getOpType().equals(FUSED) && node.getDomain().equals(GraphNodes.MICROSOFT);
  }

  /** Whether values are read by one node alone; others may read the shape. */
  private static boolean isReadBy(OnnxGraph graph, String tensor, int only) {
    Deque<String> copies = new ArrayDeque<>(List.of(tensor));
    while (!copies.isEmpty()) {
      for (int reader : graph.readers(copies.pop())) {
        NodeProto node = graph.nodes().get(reader);
        if (isCopy(node)) {
          copies.push(node.getOutput(0));
        } else if (reader != only && !isA(node, "Shape")) {
          return false;
        }
      }
    }
    return true;
  }

  /** Exporters concatenate lists of one, too. */
  private static boolean isCopy(NodeProto node) {
    return node.getInputCount() == 1
        && node.getOutputCount() == 1
        && (isA(node, "Concat") || isA(node, "Identity"));
  }

  /** What a tensor is a copy of. */
  private static String origin(OnnxGraph graph, String tensor) {
    String name = tensor;
    for (int producer = graph.producer(name);
        producer >= 0 && isCopy(graph.nodes().get(producer));
        producer = graph.producer(name)) {
      name = graph.nodes().get(producer).getInput(0);
    }
    return name;
  }

  /**
   * Writes what takes the place of a node.
   *
   * @return whether anything does
   */
  boolean replaces(NodeProto node) {
    Attributes old = new Attributes(node);
    String past = origins.getOrDefault(old.input(0), old.input(0));
    boolean ofCache = decoder.layerOfPast(past) >= 0;
    if (isA(node, "Shape") && ofCache) {
      measure(old, past);
      return true;
    }
    if (isCopy(node) && ofCache && !graph.outputs().containsKey(node.getOutput(0))) {
      origins.put(node.getOutput(0), past);
      return true;
    }
    String present = old.output(0);
    if (!isA(node, "Concat") || !roomOfPresent.containsKey(present)) {
      return false;
    }
    String room = roomOfPresent.get(present);
    String where = placesOf(graph.inputDimension(past, HEADS));
    nodes.op("ScatterND", List.of(past, where, old.input(1)), room);
    takeLive(room, present);
    return true;
  }

  /** An attention that writes into the room; any other node as it is. */
  NodeProto grown(NodeProto node) {
    if (!isFused(node)) {
      return node;
    }
    NodeProto.Builder grown = node.toBuilder();
    for (int i = 0; i < node.getOutputCount(); i++) {
      grown.setOutput(i, roomOfPresent.getOrDefault(node.getOutput(i), node.getOutput(i)));
    }
    return grown.build();
  }

  /** Gives what is observed the keys and values of an attention that was written. */
  void show(NodeProto node) {
    if (isFused(node) && !spec.taps().isEmpty()) {
      node.getOutputList().stream()
          .filter(roomOfPresent::containsKey)
          .forEach(present -> takeLive(roomOfPresent.get(present), present));
    }
  }

  private void takeLive(String room, String present) {
    nodes.op(
        "Slice",
        List.of(room, nodes.constant(0), number(KvCacheNames.END), nodes.constant(TOKENS)),
        present);
  }

  /** What is measured of a cache is the part that has tokens. */
  private void measure(Attributes shape, String past) {
    int layer = decoder.layerOfPast(past);
    boolean own = layer >= spec.from() && layer < spec.to();
    String sizes = nodes.op("Shape", own ? past : DecoderGraph.past(spec.from(), true));
    String live =
        nodes.concat(
            0,
            nodes.slice(sizes, 0, TOKENS, 0),
            number(KvCacheNames.BEGIN),
            nodes.slice(sizes, WIDTH, RANK, 0));
    nodes.op(
        "Slice",
        List.of(
            live,
            nodes.constant(shape.integer("start", 0)),
            nodes.constant(shape.integer("end", RANK)),
            nodes.constant(0)),
        shape.output(0));
  }

  /** Where new tokens go, int64 {@code [1, heads, tokens, 3]}. */
  private String placesOf(long heads) {
    return places.computeIfAbsent(
        heads,
        count -> {
          String rows = nodes.reshape(number(KvCacheNames.PLACES), 1, 1, -1, 1);
          String all =
              nodes.reshape(nodes.constant(LongStream.range(0, count).toArray()), 1, count, 1, 1);
          String none = nodes.constant(0);
          String head = nodes.op("Add", all, nodes.op("Mul", rows, none));
          String token = nodes.op("Add", rows, nodes.op("Mul", all, none));
          return nodes.concat(WIDTH, nodes.op("Mul", head, none), head, token);
        });
  }

  private String number(String name) {
    if (numbers.add(name)) {
      out.addInput(
          name.equals(KvCacheNames.PLACES)
              ? GraphNodes.value(name, GraphNodes.INT64, name)
              : GraphNodes.value(name, GraphNodes.INT64, 1L));
    }
    return name;
  }
}

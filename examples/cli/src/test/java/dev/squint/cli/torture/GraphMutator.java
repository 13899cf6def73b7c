package dev.squint.cli.torture;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.util.List;
import java.util.random.RandomGenerator;

/** Changes what an ONNX graph says: nodes, attributes, weights, shapes, functions, versions. */
final class GraphMutator {

  private static final List<String> OPERATORS =
      List.of(
          "Add",
          "MatMul",
          "Softmax",
          "Reshape",
          "Transpose",
          "Gather",
          "Concat",
          "Slice",
          "Shape",
          "Cast",
          "Split",
          "Expand",
          "ConstantOfShape",
          "Range",
          "Loop",
          "If",
          "Scan",
          "Identity",
          "RotaryEmbedding",
          "GroupQueryAttention",
          "MultiHeadAttention",
          "MatMulNBits",
          "SimplifiedLayerNormalization",
          "SkipSimplifiedLayerNormalization",
          "LayerNormalization",
          "Conv",
          "Gemm",
          "Where",
          "Tile",
          "Pad",
          "Resize",
          "OneHot",
          "TopK",
          "NonZero",
          "Cos",
          "Attention",
          "RMSNormalization",
          "DequantizeLinear",
          "GatherBlockQuantized",
          "Unsqueeze",
          "Squeeze",
          "SequenceAt",
          "SplitToSequence",
          "Nonexistent",
          "");
  private static final List<String> DOMAINS =
      List.of("", "ai.onnx", "com.microsoft", "local", "pkg.onnxscript.torch_lib", "ai.onnx.ml");
  private static final List<String> ATTRIBUTES =
      List.of(
          "axis",
          "axes",
          "perm",
          "to",
          "num_heads",
          "kv_num_heads",
          "K",
          "N",
          "bits",
          "block_size",
          "epsilon",
          "value",
          "then_branch",
          "body",
          "num_outputs",
          "interleaved",
          "scale",
          "rotary_embedding_dim",
          "do_rotary",
          "local_window_size",
          "group",
          "kernel_shape",
          "strides",
          "pads",
          "dilations",
          "stash_type",
          "keepdims",
          "is_causal",
          "softcap");
  private static final List<String> NAMES =
      List.of(
          "",
          "inputs_embeds",
          "logits",
          "position_ids",
          "attention_mask",
          "pixel_values",
          "past_key_values.0.key",
          "past_key_values.99999999999.key",
          "past_key_values.-1.value",
          "present.0.key",
          "image_features",
          "input_ids",
          "a/../../b",
          "squint.1",
          "\u0000",
          "x\ny");
  private static final int DEEP = 200;
  private static final int MOST_BYTES = 500_000;

  private final RandomGenerator random;
  private final ByteMutator bytes;

  GraphMutator(RandomGenerator random) {
    this.random = random;
    this.bytes = new ByteMutator(random);
  }

  /** One to three changes. */
  ModelProto mutate(ModelProto model) {
    ModelProto.Builder changed = model.toBuilder();
    int rounds = 1 + random.nextInt(3);
    for (int i = 0; i < rounds; i++) {
      once(changed);
    }
    return changed.build();
  }

  private void once(ModelProto.Builder model) {
    GraphProto.Builder graph = model.getGraphBuilder();
    switch (random.nextInt(12)) {
      case 0, 1, 2, 3 -> node(graph);
      case 4, 5 -> attribute(graph);
      case 6 -> weight(graph);
      case 7 -> values(graph);
      case 8 -> version(model);
      case 9 -> function(model);
      case 10 -> subgraph(graph);
      default -> greedy(graph);
    }
  }

  private <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private String name(GraphProtoOrBuilderNames graph) {
    return random.nextInt(10) == 0 ? any(NAMES) : graph.name();
  }

  @FunctionalInterface
  private interface GraphProtoOrBuilderNames {
    String name();
  }

  /** A tensor that occurs in the graph. */
  private String tensor(GraphProto.Builder graph) {
    return name(
        () -> {
          if (graph.getInitializerCount() > 0 && random.nextBoolean()) {
            return graph.getInitializer(random.nextInt(graph.getInitializerCount())).getName();
          }
          if (graph.getNodeCount() == 0) {
            return "";
          }
          NodeProto node = graph.getNode(random.nextInt(graph.getNodeCount()));
          return node.getOutputCount() == 0 ? "" : node.getOutput(0);
        });
  }

  private void node(GraphProto.Builder graph) {
    if (graph.getNodeCount() == 0) {
      return;
    }
    int index = random.nextInt(graph.getNodeCount());
    NodeProto.Builder node = graph.getNodeBuilder(index);
    switch (random.nextInt(13)) {
      case 0 -> graph.removeNode(index);
      case 1 -> graph.addNode(random.nextInt(graph.getNodeCount()), node.build());
      case 2 -> node.setOpType(any(OPERATORS));
      case 3 -> node.setDomain(any(DOMAINS));
      case 4 -> node.clearInput();
      case 5 -> node.clearOutput();
      case 6 -> node.addInput(tensor(graph));
      case 7 -> node.addOutput(tensor(graph));
      case 8, 9 -> {
        if (node.getInputCount() > 0) {
          node.setInput(random.nextInt(node.getInputCount()), tensor(graph));
        }
      }
      case 10 -> {
        if (node.getOutputCount() > 0) {
          node.setOutput(random.nextInt(node.getOutputCount()), tensor(graph));
        }
      }
      case 11 -> {
        if (node.getInputCount() > 0) {
          List<String> kept = node.getInputList().subList(0, random.nextInt(node.getInputCount()));
          List<String> inputs = List.copyOf(kept);
          node.clearInput().addAllInput(inputs);
        }
      }
      default -> {
        NodeProto other = graph.getNode(random.nextInt(graph.getNodeCount()));
        node.setOpType(other.getOpType()).setDomain(other.getDomain());
        node.clearAttribute().addAllAttribute(other.getAttributeList());
      }
    }
  }

  private void attribute(GraphProto.Builder graph) {
    if (graph.getNodeCount() == 0) {
      return;
    }
    NodeProto.Builder node = graph.getNodeBuilder(random.nextInt(graph.getNodeCount()));
    if (node.getAttributeCount() == 0 || random.nextInt(6) == 0) {
      node.addAttribute(made(any(ATTRIBUTES)));
      return;
    }
    int index = random.nextInt(node.getAttributeCount());
    AttributeProto.Builder attribute = node.getAttributeBuilder(index);
    switch (random.nextInt(8)) {
      case 0 -> node.removeAttribute(index);
      case 1 -> node.addAttribute(attribute.build());
      case 2 -> attribute.setType(any(List.of(AttributeProto.AttributeType.values())));
      case 3, 4, 5 -> {
        switch (attribute.getType()) {
          case INT -> attribute.setI(number());
          case FLOAT -> attribute.setF(bytes.number() * 1e30f);
          case STRING -> attribute.setS(ByteString.copyFromUtf8(any(NAMES)));
          case TENSOR -> tensor(attribute.getTBuilder());
          case INTS -> {
            if (attribute.getIntsCount() > 0) {
              attribute.setInts(random.nextInt(attribute.getIntsCount()), number());
            }
          }
          case GRAPH -> once(ModelProto.newBuilder().setGraph(attribute.getG()));
          default -> attribute.setName(any(ATTRIBUTES));
        }
      }
      case 6 -> attribute.setName(any(ATTRIBUTES));
      default -> node.setAttribute(index, made(attribute.getName()));
    }
  }

  private long number() {
    return random.nextInt(4) == 0 ? random.nextLong() : bytes.number();
  }

  private AttributeProto made(String name) {
    AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name);
    return switch (random.nextInt(6)) {
      case 0 -> attribute.setType(AttributeProto.AttributeType.INT).setI(number()).build();
      case 1 -> attribute.setType(AttributeProto.AttributeType.FLOAT).setF(Float.NaN).build();
      case 2 ->
          attribute
              .setType(AttributeProto.AttributeType.STRING)
              .setS(ByteString.copyFromUtf8(any(NAMES)))
              .build();
      case 3 ->
          attribute
              .setType(AttributeProto.AttributeType.INTS)
              .addInts(number())
              .addInts(number())
              .build();
      case 4 -> attribute.setType(AttributeProto.AttributeType.INTS).build();
      default ->
          attribute
              .setRefAttrName(any(ATTRIBUTES))
              .setType(AttributeProto.AttributeType.INT)
              .build();
    };
  }

  private void weight(GraphProto.Builder graph) {
    if (graph.getInitializerCount() == 0) {
      return;
    }
    int index = random.nextInt(graph.getInitializerCount());
    switch (random.nextInt(6)) {
      case 0 -> graph.removeInitializer(index);
      case 1 -> graph.addInitializer(graph.getInitializer(index));
      case 2 -> graph.getInitializerBuilder(index).setName(tensor(graph));
      default -> tensor(graph.getInitializerBuilder(index));
    }
  }

  private void tensor(TensorProto.Builder weight) {
    switch (random.nextInt(9)) {
      case 0 -> {
        if (weight.getDimsCount() > 0) {
          weight.setDims(random.nextInt(weight.getDimsCount()), number());
        }
      }
      case 1 -> weight.addDims(number());
      case 2 -> weight.clearDims();
      case 3 -> weight.setDataType(random.nextInt(30) - 2);
      case 4 -> weight.clearRawData();
      case 5 -> weight.addInt64Data(number());
      case 6 ->
          weight
              .setDataLocation(TensorProto.DataLocation.EXTERNAL)
              .addExternalData(
                  entry(
                      "location",
                      any(
                          List.of(
                              "../../../etc/hosts",
                              "config.json",
                              "onnx",
                              "decoder_model_merged.onnx",
                              "embed_tokens.onnx",
                              "",
                              "a\u0000b"))))
              .addExternalData(entry("offset", Long.toString(number())))
              .addExternalData(entry("length", Long.toString(number())));
      case 7 -> {
        // A weight that says something else of the same size: shapes, axes, scales.
        if (weight.hasRawData() && !weight.getRawData().isEmpty()) {
          weight.setRawData(ByteString.copyFrom(shaken(weight.getRawData().toByteArray())));
        } else if (weight.getInt64DataCount() > 0) {
          weight.setInt64Data(random.nextInt(weight.getInt64DataCount()), number());
        }
      }
      default -> weight.setRawData(ByteString.copyFrom(new byte[random.nextInt(4_096)]));
    }
  }

  private byte[] shaken(byte[] raw) {
    int at = random.nextInt(raw.length);
    int value = bytes.number();
    for (int i = at; i < Math.min(raw.length, at + 8); i++) {
      raw[i] = (byte) (value >> 8 * (i - at & 3));
    }
    return raw;
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  private void values(GraphProto.Builder graph) {
    boolean input = random.nextBoolean();
    int count = input ? graph.getInputCount() : graph.getOutputCount();
    if (count == 0) {
      return;
    }
    int index = random.nextInt(count);
    ValueInfoProto.Builder value =
        input ? graph.getInputBuilder(index) : graph.getOutputBuilder(index);
    switch (random.nextInt(9)) {
      case 0 -> value.setName(tensor(graph));
      case 1 -> value.clearType();
      case 2 -> value.getTypeBuilder().getTensorTypeBuilder().setElemType(random.nextInt(30) - 2);
      case 3 -> value.getTypeBuilder().getTensorTypeBuilder().clearShape();
      case 4 -> value.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder().addDim(dimension());
      case 5 -> {
        TensorShapeProto.Builder shape =
            value.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
        if (shape.getDimCount() > 0) {
          shape.setDim(random.nextInt(shape.getDimCount()), dimension());
        }
      }
      case 6 -> {
        if (input) {
          graph.removeInput(index);
        } else {
          graph.removeOutput(index);
        }
      }
      case 7 -> {
        if (input) {
          graph.addInput(value.build());
        } else {
          graph.addOutput(value.build());
        }
      }
      default ->
          value.setType(
              TypeProto.newBuilder()
                  .setSequenceType(TypeProto.Sequence.newBuilder().setElemType(value.getType())));
    }
  }

  private TensorShapeProto.Dimension dimension() {
    return random.nextBoolean()
        ? TensorShapeProto.Dimension.newBuilder().setDimValue(number()).build()
        : TensorShapeProto.Dimension.newBuilder().setDimParam(any(NAMES)).build();
  }

  private void version(ModelProto.Builder model) {
    switch (random.nextInt(6)) {
      case 0 -> model.setIrVersion(number());
      case 1 -> model.clearOpsetImport();
      case 2 ->
          model.addOpsetImport(
              OperatorSetIdProto.newBuilder().setDomain(any(DOMAINS)).setVersion(number()));
      case 3 -> {
        if (model.getOpsetImportCount() > 0) {
          model.getOpsetImportBuilder(0).setVersion(random.nextInt(40));
        }
      }
      case 4 -> model.addMetadataProps(entry(any(NAMES), any(NAMES)));
      default -> model.addTrainingInfoBuilder().setAlgorithm(model.getGraph());
    }
  }

  /** Functions that are sound, that call themselves or each other, or that hide operators. */
  private void function(ModelProto.Builder model) {
    GraphProto.Builder graph = model.getGraphBuilder();
    if (graph.getNodeCount() == 0) {
      return;
    }
    NodeProto.Builder called = graph.getNodeBuilder(random.nextInt(graph.getNodeCount()));
    String name = random.nextInt(4) == 0 ? called.getOpType() : "local" + random.nextInt(3);
    String domain = random.nextInt(4) == 0 ? called.getDomain() : any(DOMAINS);
    FunctionProto.Builder function = FunctionProto.newBuilder().setName(name).setDomain(domain);
    function.addAllOpsetImport(model.getOpsetImportList());
    NodeProto.Builder body = called.clone();
    for (int i = 0; i < called.getInputCount(); i++) {
      function.addInput("i" + i);
      body.setInput(i, "i" + i);
    }
    for (int i = 0; i < called.getOutputCount(); i++) {
      function.addOutput("o" + i);
      body.setOutput(i, "o" + i);
    }
    switch (random.nextInt(7)) {
      case 0 -> body.setOpType(name).setDomain(domain);
      case 1 -> body.setOpType("local" + random.nextInt(3)).setDomain(any(DOMAINS));
      case 2 -> function.clearInput();
      case 3 -> function.clearOutput();
      case 4 -> function.addOutput("nowhere");
      case 5 -> function.clearOpsetImport();
      default -> {
        // Sound.
      }
    }
    model.addFunctions(function.addNode(body));
    model.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(1));
    called.setOpType(name).setDomain(domain).clearAttribute();
    if (random.nextInt(4) == 0) {
      called.addInput(tensor(graph));
    }
  }

  private void subgraph(GraphProto.Builder graph) {
    if (graph.getNodeCount() == 0) {
      return;
    }
    int index = random.nextInt(graph.getNodeCount());
    NodeProto inner = graph.getNode(index);
    GraphProto.Builder branch = GraphProto.newBuilder().setName("branch").addNode(inner);
    inner
        .getOutputList()
        .forEach(output -> branch.addOutput(ValueInfoProto.newBuilder().setName(output)));
    NodeProto node = branching(branch.build(), inner, tensor(graph));
    int most = Math.min(DEEP, MOST_BYTES / (1 + node.getSerializedSize()));
    int depth = random.nextInt(4) == 0 && most > 0 ? random.nextInt(most) : 0;
    for (int i = 0; i < depth; i++) {
      GraphProto.Builder around = GraphProto.newBuilder().setName("branch" + i).addNode(node);
      node.getOutputList()
          .forEach(output -> around.addOutput(ValueInfoProto.newBuilder().setName(output)));
      node = branching(around.build(), inner, tensor(graph));
    }
    graph.setNode(index, node);
  }

  /** Of two branches only one is deep, else each level would double what there is. */
  private NodeProto branching(GraphProto branch, NodeProto inner, String condition) {
    NodeProto.Builder node =
        NodeProto.newBuilder().setOpType(any(List.of("If", "If", "Loop", "Scan")));
    node.addInput(condition).addAllOutput(inner.getOutputList());
    if (node.getOpType().equals("If")) {
      GraphProto.Builder shallow = GraphProto.newBuilder().setName("shallow").addNode(inner);
      shallow.addAllOutput(branch.getOutputList());
      node.addAttribute(graphAttribute("then_branch", branch));
      node.addAttribute(graphAttribute("else_branch", shallow.build()));
    } else {
      node.addAttribute(graphAttribute("body", branch));
    }
    return node.build();
  }

  private static AttributeProto graphAttribute(String name, GraphProto graph) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.GRAPH)
        .setG(graph)
        .build();
  }

  /** Nodes that make much of little, in front of any input of any node. */
  private void greedy(GraphProto.Builder graph) {
    if (graph.getNodeCount() == 0) {
      return;
    }
    int index = random.nextInt(graph.getNodeCount());
    NodeProto.Builder node = graph.getNodeBuilder(index);
    if (node.getInputCount() == 0) {
      return;
    }
    String shape = "greedy.shape" + graph.getNodeCount();
    String made = "greedy" + graph.getNodeCount();
    long size = 1L << random.nextInt(45);
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName(shape)
            .setDataType(TensorProto.DataType.INT64_VALUE)
            .addDims(1)
            .addInt64Data(size));
    NodeProto.Builder greedy = NodeProto.newBuilder().addOutput(made);
    switch (random.nextInt(4)) {
      case 0 -> greedy.setOpType("ConstantOfShape").addInput(shape);
      case 1 -> greedy.setOpType("Expand").addInput(shape).addInput(shape);
      case 2 -> greedy.setOpType("Tile").addInput(shape).addInput(shape);
      default -> greedy.setOpType("OneHot").addInput(shape).addInput(shape).addInput(shape);
    }
    node.setInput(random.nextInt(node.getInputCount()), made);
    graph.addNode(0, greedy);
  }
}

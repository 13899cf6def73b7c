package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Graphs of one model that take and give different float types, as revisions of one repository do:
 * each is given what it takes.
 */
class HalfPrecisionTest {

  @TempDir Path temp;

  @ParameterizedTest
  @CsvSource({
    "decoder_model_merged, 'inputs_embeds'",
    "decoder_model_merged, 'past_key_values,present'",
    "decoder_model_merged, 'inputs_embeds,past_key_values,present,logits'",
    "embed_tokens, 'inputs_embeds'",
    "vision_encoder, 'image_features'",
    "vision_encoder, 'pixel_values,image_features'"
  })
  void graphsThatTakeAndGiveHalfFloatsGoWithOthers(String name, String tensors) throws IOException {
    TinyFolder folder = TinyFolder.in(temp);
    halve(folder.graph(name), Set.of(tensors.split(",")));
    try (VisionLanguageModel model = folder.open()) {
      model.requireOpens();
      assertThat(TinyLlava.answersAsPyTorchDoes(model)).isTrue();
    }
  }

  /** Lets tensors of the interface be float16, converted at the edge. */
  private static void halve(Path file, Set<String> prefixes) throws IOException {
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(file)).toBuilder();
    GraphProto.Builder graph = model.getGraphBuilder();
    List<NodeProto> before = new ArrayList<>();
    List<NodeProto> after = new ArrayList<>();
    for (ValueInfoProto.Builder input : graph.getInputBuilderList()) {
      if (isAmong(input, prefixes)) {
        rename(graph, input.getName());
        before.add(cast(input.getName(), "single." + input.getName(), DataType.FLOAT));
        half(input);
      }
    }
    for (ValueInfoProto.Builder output : graph.getOutputBuilderList()) {
      if (isAmong(output, prefixes)) {
        rename(graph, output.getName());
        after.add(cast("single." + output.getName(), output.getName(), DataType.FLOAT16));
        half(output);
      }
    }
    assertThat(before.size() + after.size()).isPositive();
    List<NodeProto> nodes = new ArrayList<>(before);
    nodes.addAll(graph.getNodeList());
    nodes.addAll(after);
    graph.clearNode().addAllNode(nodes);
    Files.write(file, model.build().toByteArray());
  }

  private static boolean isAmong(ValueInfoProto.Builder value, Set<String> prefixes) {
    return prefixes.stream().anyMatch(value.getName()::startsWith);
  }

  private static void half(ValueInfoProto.Builder value) {
    value.getTypeBuilder().getTensorTypeBuilder().setElemType(DataType.FLOAT16.getNumber());
  }

  private static void rename(GraphProto.Builder graph, String tensor) {
    for (NodeProto.Builder node : graph.getNodeBuilderList()) {
      for (int i = 0; i < node.getInputCount(); i++) {
        if (node.getInput(i).equals(tensor)) {
          node.setInput(i, "single." + tensor);
        }
      }
      for (int i = 0; i < node.getOutputCount(); i++) {
        if (node.getOutput(i).equals(tensor)) {
          node.setOutput(i, "single." + tensor);
        }
      }
    }
  }

  private static NodeProto cast(String from, String to, DataType type) {
    return NodeProto.newBuilder()
        .setOpType("Cast")
        .setName("cast." + to)
        .addInput(from)
        .addOutput(to)
        .addAttribute(
            AttributeProto.newBuilder()
                .setName("to")
                .setType(AttributeProto.AttributeType.INT)
                .setI(type.getNumber()))
        .build();
  }
}

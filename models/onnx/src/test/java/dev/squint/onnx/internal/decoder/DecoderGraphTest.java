package dev.squint.onnx.internal.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Shapes of decoders other than the fixture's, drawn in a few nodes each. */
class DecoderGraphTest {

  @TempDir Path temp;

  private final GraphProto.Builder graph = GraphProto.newBuilder();

  private void node(String op, String inputs, String outputs) {
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType(op)
            .setName(outputs.split(" ")[0] + ".node")
            .addAllInput(List.of(inputs.split(" ")))
            .addAllOutput(List.of(outputs.split(" "))));
  }

  private void declare(int layers) {
    graph.addInput(GraphNodes.value("inputs_embeds", GraphNodes.FLOAT, "b", "s", 8L));
    graph.addInput(GraphNodes.value("position_ids", GraphNodes.INT64, "b", "s"));
    graph.addOutput(GraphNodes.shapeless("logits", GraphNodes.FLOAT));
    for (int i = 0; i < layers; i++) {
      for (boolean key : new boolean[] {true, false}) {
        graph.addInput(
            GraphNodes.value(DecoderGraph.past(i, key), GraphNodes.FLOAT, "b", 1L, "p", 8L));
        graph.addOutput(GraphNodes.shapeless(DecoderGraph.present(i, key), GraphNodes.FLOAT));
      }
    }
  }

  /** Attention as one node, keys and values made from a normalised tensor. */
  private void attention(int i, String normed, String out) {
    node("MatMul", normed + " position_ids", "k" + i);
    node("Concat", "past_key_values.%d.key k%d".formatted(i, i), "present.%d.key".formatted(i));
    node("MatMul", normed, "v" + i);
    node("Concat", "past_key_values.%d.value v%d".formatted(i, i), "present.%d.value".formatted(i));
    node("MatMul", "%s present.%d.key present.%d.value".formatted(normed, i, i), out);
  }

  private OnnxGraph read() throws IOException {
    Path file = temp.resolve("decoder.onnx");
    Files.write(
        file,
        ModelProto.newBuilder()
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(graph)
            .build()
            .toByteArray());
    return OnnxGraph.read(file);
  }

  @Test
  void aFusedSkipNormIsSplitThroughBothOfItsOutputs() throws IOException {
    declare(2);
    node("SimplifiedLayerNormalization", "inputs_embeds", "n0");
    attention(0, "n0", "a0");
    node("SkipSimplifiedLayerNormalization", "inputs_embeds a0", "m0 x0 x1 r0");
    node("MatMul", "m0", "d0");
    node("SkipSimplifiedLayerNormalization", "r0 d0", "n1 y0 y1 r1");
    attention(1, "n1", "a1");
    node("SkipSimplifiedLayerNormalization", "r1 a1", "m1 z0 z1 r2");
    node("MatMul", "m1", "d1");
    node("SkipSimplifiedLayerNormalization", "r2 d1", "f");
    node("MatMul", "f", "logits");
    DecoderGraph decoder = new DecoderGraph(read());
    assertThat(decoder.boundary(1)).containsExactly("n1", "r1");
    assertThat(decoder.consumedOutputs(decoder.lastRowNode())).containsExactly("m1", "r2");
    SegmentModel first =
        SegmentExtractor.extract(decoder, new SegmentSpec(0, 1, Seam.NONE, false, List.of()));
    SegmentModel second =
        SegmentExtractor.extract(decoder, new SegmentSpec(1, 2, Seam.GATHER, false, List.of()));
    assertThat(first.hiddenInputs()).containsExactly("inputs_embeds");
    assertThat(first.hiddenOutputs()).containsExactly("n1", "r1");
    assertThat(second.hiddenInputs()).containsExactly("n1.all", "r1.all");
    assertThat(second.hiddenOutputs()).isEmpty();
    assertThat(ModelProto.parseFrom(second.bytes()).getGraph().getInputList())
        .extracting("name")
        .contains("position_ids.all");
  }

  private void deepStack(String tensor) {
    graph.addInput(GraphNodes.value("deepstack_0", GraphNodes.FLOAT, "b", "s", 8L));
    graph.addInput(GraphNodes.value("deepstack_10", GraphNodes.FLOAT, "b", "s", 8L));
    node("Add", tensor + " deepstack_10", tensor + "d");
  }

  /** Each goes with the hidden states as far as a layer reads it. */
  @Test
  void deepStackFeaturesGoThroughTheSeamsOfTheLayersThatAddThem() throws IOException {
    declare(3);
    attention(0, "inputs_embeds", "a0");
    node("Add", "inputs_embeds a0", "r0");
    node("Add", "r0 deepstack_0", "s0");
    attention(1, "s0", "a1");
    node("Add", "s0 a1", "r1");
    deepStack("r1");
    attention(2, "r1d", "a2");
    node("Add", "r1d a2", "r2");
    node("MatMul", "r2", "logits");
    DecoderGraph decoder = new DecoderGraph(read());
    assertThat(decoder.deepStack().names()).containsExactly("deepstack_0", "deepstack_10");
    SegmentModel first =
        SegmentExtractor.extract(decoder, new SegmentSpec(0, 1, Seam.NONE, false, List.of()));
    SegmentModel second =
        SegmentExtractor.extract(decoder, new SegmentSpec(1, 2, Seam.MERGE, false, List.of()));
    SegmentModel third =
        SegmentExtractor.extract(decoder, new SegmentSpec(2, 3, Seam.GATHER, false, List.of()));
    assertThat(first.hiddenInputs())
        .containsExactly("inputs_embeds", "deepstack_0.all", "deepstack_10.all");
    assertThat(first.hiddenOutputs()).containsExactly("s0", "deepstack_10");
    assertThat(second.hiddenInputs()).containsExactly("s0.all", "deepstack_10.all");
    assertThat(second.hiddenOutputs()).containsExactly("r1d");
    assertThat(third.hiddenInputs()).containsExactly("r1d.all");
  }

  /** Else the features of all tokens would be added to the last one. */
  @Test
  void noRowIsLeftOutBeforeTheLastFeaturesAreAdded() throws IOException {
    declare(1);
    attention(0, "inputs_embeds", "a0");
    node("Add", "inputs_embeds a0", "r0");
    deepStack("r0");
    node("MatMul", "r0d", "logits");
    DecoderGraph decoder = new DecoderGraph(read());
    assertThat(decoder.consumedOutputs(decoder.lastRowNode())).containsExactly("r0d");
  }

  @Test
  void positionsOfFourRowsAreRefused() throws IOException {
    declare(1);
    attention(0, "inputs_embeds", "a0");
    node("Add", "inputs_embeds a0", "logits");
    graph.setInput(1, GraphNodes.value("position_ids", GraphNodes.INT64, 4L, "b", "s"));
    OnnxGraph read = read();
    assertThatThrownBy(() -> new DecoderGraph(read))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("'position_ids' of 4 rows");
  }

  @Test
  void deepStackOfAnotherFormIsRefused() throws IOException {
    declare(1);
    attention(0, "inputs_embeds", "a0");
    node("Add", "a0 deepstack", "logits");
    graph.addInput(GraphNodes.value("deepstack", GraphNodes.FLOAT, "tokens", 8L));
    OnnxGraph read = read();
    assertThatThrownBy(() -> new DecoderGraph(read))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("[deepstack]")
        .hasMessageContaining("[levels, batch, tokens, width]");
  }

  @Test
  void lengthsCountedBeforeTheSplitAreCountedAfterIt() throws IOException {
    declare(2);
    node("Shape", "inputs_embeds", "tokens");
    node("Shape", "past_key_values.0.key", "past");
    node("Concat", "tokens past", "lengths");
    attention(0, "inputs_embeds", "a0");
    node("Add", "inputs_embeds a0", "r0");
    node("Expand", "r0 lengths", "e1");
    attention(1, "e1", "a1");
    node("Add", "e1 a1", "r1");
    node("Reshape", "r1 lengths", "logits");
    DecoderGraph decoder = new DecoderGraph(read());
    SegmentModel model =
        SegmentExtractor.extract(decoder, new SegmentSpec(1, 2, Seam.GATHER, false, List.of()));
    GraphProto segment = ModelProto.parseFrom(model.bytes()).getGraph();
    assertThat(decoder.boundary(1)).containsExactly("e1");
    assertThat(segment.getInputList())
        .extracting("name")
        .doesNotContain("past_key_values.0.key", "inputs_embeds");
    NodeProto tokens = producer(segment, "tokens");
    assertThat(tokens.getInputList()).containsExactly("e1");
    assertThat(producer(segment, "past_key_values.0.key").getInputList())
        .containsExactly("past_key_values.1.key");
  }

  private static NodeProto producer(GraphProto graph, String tensor) {
    return graph.getNodeList().stream()
        .filter(n -> n.getOutputList().contains(tensor))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void streamsThatNeverMeetCannotBeSplit() throws IOException {
    declare(2);
    attention(0, "inputs_embeds", "a0");
    node("Neg", "inputs_embeds", "other");
    attention(1, "a0", "a1");
    node("Add", "a1 other", "logits");
    DecoderGraph decoder = new DecoderGraph(read());
    assertThatThrownBy(() -> decoder.boundary(1))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("cannot be split before layer 1")
        .hasMessageContaining("present.1.key");
  }

  @Test
  void aLaterLayerThatReachesBackIsNamed() throws IOException {
    declare(3);
    attention(0, "inputs_embeds", "a0");
    node("Add", "inputs_embeds a0", "r0");
    attention(1, "r0", "a1");
    node("Add", "r0 a1", "r1");
    node("MatMul", "r1", "k2");
    node("Concat", "past_key_values.2.key k2 a0", "present.2.key");
    node("Concat", "past_key_values.2.value k2", "present.2.value");
    node("Add", "r1 present.2.value", "logits");
    DecoderGraph decoder = new DecoderGraph(read());
    assertThatThrownBy(
            () ->
                SegmentExtractor.extract(
                    decoder, new SegmentSpec(1, 3, Seam.GATHER, false, List.of())))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(
            "cannot be split before layer 1: node Concat 'present.2.key.node' reads 'a0'");
  }

  @Test
  void sharedCachesCannotBeSplit() throws IOException {
    declare(2);
    attention(0, "inputs_embeds", "a0");
    node("Add", "inputs_embeds a0", "r0");
    attention(1, "r0", "a1");
    node("MatMul", "a1 past_key_values.0.value", "b1");
    node("Add", "r0 b1", "logits");
    DecoderGraph decoder = new DecoderGraph(read());
    assertThatThrownBy(
            () ->
                SegmentExtractor.extract(
                    decoder, new SegmentSpec(1, 2, Seam.GATHER, false, List.of())))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("read the values of past_key_values.0.value");
  }

  @Test
  void layersInsideAnIfAreRefused() throws IOException {
    declare(1);
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType("If")
            .setName("optimum::if")
            .addInput("position_ids")
            .addAllOutput(List.of("logits", "present.0.key", "present.0.value"))
            .addAttribute(
                AttributeProto.newBuilder()
                    .setName("then_branch")
                    .setG(
                        GraphProto.newBuilder()
                            .addNode(NodeProto.newBuilder().addInput("inputs_embeds")))));
    OnnxGraph merged = read();
    assertThat(OnnxGraph.reads(merged.nodes().get(0))).contains("inputs_embeds");
    assertThatThrownBy(() -> new DecoderGraph(merged))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("inside the branches of If 'optimum::if'");
  }

  @Test
  void attentionOfALayerWithoutAnOperatorOfItCannotBeObserved() throws IOException {
    declare(1);
    attention(0, "inputs_embeds", "a0");
    node("Add", "inputs_embeds a0", "logits");
    DecoderGraph decoder = new DecoderGraph(read());
    assertThatThrownBy(
            () ->
                SegmentExtractor.extract(
                    decoder,
                    new SegmentSpec(
                        0,
                        1,
                        Seam.NONE,
                        false,
                        List.of(Observe.textToVisualAttention(0, Rows.LAST)))))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("layer 0 has no attention operator after past_key_values.0.key");
  }

  @Test
  void gapsInTheCacheAreRefused() throws IOException {
    declare(1);
    graph.addInput(GraphNodes.value("past_key_values.2.key", GraphNodes.FLOAT, "b", 1L, "p", 8L));
    attention(0, "inputs_embeds", "a0");
    node("Add", "inputs_embeds a0", "logits");
    assertThatThrownBy(() -> new DecoderGraph(read()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("gaps in their KV cache");
  }

  @Test
  void dataOutsideTheFolderIsRefused() {
    for (String location : List.of("../weights", "/etc/weights", "C:\\weights", "a/../../b", "")) {
      graph.clear();
      declare(1);
      graph.addInitializer(
          TensorProto.newBuilder()
              .setName("w")
              .setDataLocation(TensorProto.DataLocation.EXTERNAL)
              .addExternalData(
                  StringStringEntryProto.newBuilder().setKey("location").setValue(location)));
      assertThatThrownBy(this::read)
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("weight 'w' points to external data '%s'".formatted(location));
    }
  }

  @Test
  void nodesOutOfOrderAreSorted() throws IOException {
    declare(0);
    node("Neg", "later", "logits");
    node("Neg", "inputs_embeds", "later");
    assertThat(read().nodes())
        .extracting(node -> node.getOutput(0))
        .containsExactly("later", "logits");
  }

  @Test
  void aCircleIsRefused() {
    declare(1);
    node("Add", "inputs_embeds second", "first");
    node("Neg", "first", "second");
    node("Neg", "second", "logits");
    assertThatThrownBy(this::read)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("node Add 'first.node' waits in a circle");
  }

  @Test
  void aTensorFromNowhereIsRefused() {
    declare(1);
    node("Neg", "nowhere", "logits");
    assertThatThrownBy(this::read)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("Neg 'logits.node' reads 'nowhere', which nothing produces");
  }

  @Test
  void aTowerWithoutClsCannotShowIt() throws IOException {
    graph.addInput(GraphNodes.value("pixel_values", GraphNodes.FLOAT, "b", 3L, 8L, 8L));
    graph.addOutput(GraphNodes.shapeless("image_features", GraphNodes.FLOAT));
    node("Softmax", "pixel_values", "attention");
    node("MatMul", "attention", "image_features");
    VisionGraph tower = new VisionGraph(read());
    assertThat(tower.hasCls()).isFalse();
    assertThat(tower.layers()).isEqualTo(1);
    assertThatThrownBy(() -> tower.withTaps(List.of(Observe.clsAttention(0))))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("has no [CLS] token");
  }
}

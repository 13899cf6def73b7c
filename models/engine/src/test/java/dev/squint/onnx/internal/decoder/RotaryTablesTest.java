package dev.squint.onnx.internal.decoder;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.squint.fixtures.ExportFixture;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Segments compute no rotation beside that of the operator, unless its result is looked at. */
class RotaryTablesTest {

  static Stream<ExportFixture> rotating() {
    return ExportFixture.share("decoder", 0, 1)
        .filter(
            export -> OnnxGraph.read(export.graph()).nodes().stream().anyMatch(FusedRotary::isIn));
  }

  @ParameterizedTest
  @MethodSource("rotating")
  void attentionGoesOnRotating(ExportFixture export) {
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    int layers = decoder.layers();
    SegmentSpec rest = new SegmentSpec(1, layers, Seam.GATHER, true, List.of());
    assertThat(nodes(decoder, rest)).noneMatch(RotaryTablesTest::isRotation);
    assertThat(nodes(decoder, rest).stream().filter(FusedRotary::isIn)).hasSize(layers - 1);
  }

  @ParameterizedTest
  @MethodSource("rotating")
  void oneLayerAloneIsRotatedOutside(ExportFixture export) {
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(export.graph()));
    int layers = decoder.layers();
    SegmentSpec watched =
        new SegmentSpec(
            1,
            layers,
            Seam.GATHER,
            true,
            List.of(Observe.textToVisualAttention(layers - 1, Rows.LAST)));
    assertThat(nodes(decoder, watched).stream().filter(RotaryTablesTest::isRotation)).hasSize(2);
    assertThat(nodes(decoder, watched).stream().filter(FusedRotary::isIn)).hasSize(layers - 2);
  }

  private static List<NodeProto> nodes(DecoderGraph decoder, SegmentSpec spec) {
    return SegmentExtractor.extract(decoder, spec).model().getGraph().getNodeList();
  }

  private static boolean isRotation(NodeProto node) {
    return node.getOpType().equals("RotaryEmbedding");
  }
}

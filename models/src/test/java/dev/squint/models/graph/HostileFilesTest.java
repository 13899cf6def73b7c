package dev.squint.models.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.squint.models.ModelException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that no exporter writes: damaged ones, and ones that mean harm. */
class HostileFilesTest {

  private static final int FLOAT = TensorProto.DataType.FLOAT.getNumber();
  private static final long HUGE = 1L << 40;

  @TempDir Path temp;

  private Path folder;
  private Path file;
  private final GraphProto.Builder graph = GraphProto.newBuilder();

  @BeforeEach
  void setUp() throws IOException {
    folder = Files.createDirectory(temp.resolve("model"));
    file = folder.resolve("model.onnx");
    graph.addInput(GraphNodes.value("x", GraphNodes.FLOAT, 1L));
    graph.addOutput(GraphNodes.shapeless("y", GraphNodes.FLOAT));
    graph.addNode(GraphNodes.node("Add", List.of("x", "x"), "y").setName("sum"));
  }

  private static byte[] bytes(GraphProto.Builder graph) {
    return ModelProto.newBuilder()
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
        .setGraph(graph)
        .build()
        .toByteArray();
  }

  private void refuses(byte[] content, String... parts) throws IOException {
    Files.write(file, content);
    refusesFile(parts);
  }

  private void refusesFile(String... parts) {
    assertThatThrownBy(() -> OnnxGraph.read(file))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(file.toString())
        .satisfies(e -> assertThat(e.getMessage()).contains(parts).doesNotContain("\n"));
  }

  private static TensorProto.Builder weight(long... dims) {
    TensorProto.Builder weight = TensorProto.newBuilder().setName("w").setDataType(FLOAT);
    Arrays.stream(dims).forEach(weight::addDims);
    return weight;
  }

  private static TensorProto.Builder external(String location, String offset, String length) {
    TensorProto.Builder weight = weight(4).setDataLocation(TensorProto.DataLocation.EXTERNAL);
    weight.addExternalData(entry("location", location));
    if (offset != null) {
      weight.addExternalData(entry("offset", offset));
    }
    if (length != null) {
      weight.addExternalData(entry("length", length));
    }
    return weight;
  }

  private static StringStringEntryProto.Builder entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value);
  }

  @Test
  void acceptsTheGraphThatTheOthersSpoil() throws IOException {
    Files.write(folder.resolve("w.data"), new byte[40]);
    Files.write(
        file,
        bytes(
            graph
                .addInitializer(external("w.data", "24", "16"))
                .addInitializer(external("./w.data", null, null).setName("open"))
                .addInitializer(weight(2, 2).setName("raw").setRawData(zeros(16)))
                .addInitializer(weight(0, 1L << 62, 8).setName("empty"))
                .addInitializer(weight(3).setName("typed").addAllFloatData(List.of(1f, 2f, 3f)))));
    assertThat(OnnxGraph.read(file).outputs()).containsKey("y");
  }

  private static ByteString zeros(int count) {
    return ByteString.copyFrom(new byte[count]);
  }

  static Stream<Arguments> noOnnx() {
    return Stream.of(
        Arguments.of("", "is empty"),
        Arguments.of("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        Arguments.of("<!DOCTYPE html><html>404</html>", "not a readable ONNX file"),
        Arguments.of("{\"error\": \"no access\"}", "not a readable ONNX file"),
        Arguments.of("just some text\n", "not a readable ONNX file"),
        Arguments.of("\0\0\0\0", "not a readable ONNX file"));
  }

  @ParameterizedTest
  @MethodSource
  void noOnnx(String content, String message) throws IOException {
    refuses(content.getBytes(StandardCharsets.ISO_8859_1), message);
  }

  @Test
  void refusesAFolderAndAMissingFile() throws IOException {
    refusesFile("no such file");
    Files.createDirectory(file);
    refusesFile("is a folder");
  }

  @Test
  void refusesAFileTooLargeForProtobuf() throws IOException {
    try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
      large.setLength(1L << 31);
    }
    refusesFile("larger than 2 GB", "external data");
  }

  @Test
  void refusesEveryTruncation() throws IOException {
    byte[] whole = bytes(graph.addInitializer(weight(2).setRawData(zeros(8))));
    for (int length = 0; length < whole.length; length++) {
      refuses(Arrays.copyOf(whole, length), "again");
    }
  }

  @Test
  void refusesLengthsThatAreNotThere() throws IOException {
    byte[] graphOfEightExabytes = {0x3a, -1, -1, -1, -1, -1, -1, -1, -1, 0x7f};
    refuses(graphOfEightExabytes, "ends early");
    byte[] weightOfTwoGigabytes = {0x3a, 8, 0x2a, 6, 0x4a, -1, -1, -1, -1, 7};
    refuses(weightOfTwoGigabytes, "ends early");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../w.data",
        "a/../../w.data",
        "/etc/hostname",
        "C:w.data",
        "C:\\w.data",
        "..\\w.data",
        "sub\\w.data",
        "w.data\0.txt",
        ""
      })
  void refusesDataOutsideOfTheFolder(String location) throws IOException {
    Files.write(temp.resolve("w.data"), new byte[16]);
    refuses(
        bytes(graph.addInitializer(external(location, "0", "16"))),
        "weight 'w' points to external data",
        "beside the graph");
  }

  @Test
  void refusesLinksOutOfTheFolder() throws IOException {
    Path outside = Files.createDirectory(temp.resolve("outside"));
    Files.write(outside.resolve("w.data"), new byte[16]);
    Files.createSymbolicLink(folder.resolve("w.data"), outside.resolve("w.data"));
    refuses(bytes(graph.addInitializer(external("w.data", null, null))), "a link that leaves");

    Files.createSymbolicLink(folder.resolve("sub"), outside);
    graph.clearInitializer().addInitializer(external("sub/w.data", null, null));
    refuses(bytes(graph), "a link that leaves");

    Files.createSymbolicLink(folder.resolve("loop"), folder.resolve("loop"));
    graph.clearInitializer().addInitializer(external("loop", null, null));
    refuses(bytes(graph), "'loop', which is missing");
  }

  @Test
  void followsLinksWithinTheFolder() throws IOException {
    Files.write(folder.resolve("real.data"), new byte[16]);
    Files.createSymbolicLink(folder.resolve("w.data"), Path.of("real.data"));
    Files.write(file, bytes(graph.addInitializer(external("w.data", null, null))));
    assertThat(OnnxGraph.read(file).folder()).isEqualTo(folder);
  }

  @Test
  void followsTheLinksOfADownloadCache() throws IOException {
    Path blobs = Files.createDirectory(temp.resolve("blobs"));
    graph.addInitializer(external("w.data", "0", "16"));
    graph.addInitializer(weight(256).setName("own").setRawData(zeros(1024)));
    Files.write(blobs.resolve("aa11"), bytes(graph));
    Files.write(blobs.resolve("bb22"), new byte[16]);
    Files.createSymbolicLink(file, Path.of("../blobs/aa11"));
    Files.createSymbolicLink(folder.resolve("w.data"), Path.of("../blobs/bb22"));

    OnnxGraph read = OnnxGraph.read(file);

    assertThat(read.folder()).isEqualTo(blobs.toRealPath());
    assertThat(ExternalData.entry(read.initializer("w"), "location")).isEqualTo("bb22");
    assertThat(ExternalData.entry(read.initializer("own"), "location")).isEqualTo("aa11");
  }

  @Test
  void refusesALinkWhoseDataLieElsewhere() throws IOException {
    Path blobs = Files.createDirectory(temp.resolve("blobs"));
    graph.addInitializer(external("w.data", "0", "16"));
    graph.addInitializer(weight(256).setName("own").setRawData(zeros(1024)));
    Files.write(blobs.resolve("aa11"), bytes(graph));
    Files.write(folder.resolve("w.data"), new byte[16]);
    Files.createSymbolicLink(file, Path.of("../blobs/aa11"));
    refusesFile("only some of its data files");
  }

  static Stream<Arguments> ranges() {
    return Stream.of(
        Arguments.of("-1", "16", "'-1' as the offset"),
        Arguments.of("ten", "16", "'ten' as the offset"),
        Arguments.of("99999999999999999999", "16", "as the offset"),
        Arguments.of("0", "-16", "'-16' as the length"),
        Arguments.of("0", "0x10", "'0x10' as the length"),
        Arguments.of("1", "16", "reads 16 bytes from byte 1 of 'w.data', which has only 16"),
        Arguments.of("17", null, "reads all bytes from byte 17"),
        Arguments.of("9223372036854775807", "16", "which has only 16"),
        Arguments.of("0", "9223372036854775807", "which has only 16"),
        Arguments.of("0", "12", "needs 16 bytes, but 12 are there"),
        Arguments.of("4", null, "needs 16 bytes, but 12 are there"));
  }

  @ParameterizedTest
  @MethodSource
  void ranges(String offset, String length, String message) throws IOException {
    Files.write(folder.resolve("w.data"), new byte[16]);
    refuses(bytes(graph.addInitializer(external("w.data", offset, length))), "weight 'w'", message);
  }

  @Test
  void refusesMissingDataFiles() throws IOException {
    refuses(
        bytes(graph.addInitializer(external("w.data", "0", "16"))),
        "'w.data', which is missing; download it");
    Files.createDirectory(folder.resolve("w.data"));
    refusesFile("'w.data', which is missing");
  }

  static Stream<Arguments> shapes() {
    return Stream.of(
        Arguments.of(weight(-1).setRawData(zeros(4)), "impossible shape [-1]"),
        Arguments.of(weight(HUGE, HUGE).setRawData(zeros(4)), "impossible shape"),
        Arguments.of(weight(1L << 32, 1L << 31), "impossible shape"),
        Arguments.of(weight(Long.MAX_VALUE).setRawData(zeros(4)), "impossible shape"),
        Arguments.of(weight(HUGE), "needs 1099511627776 values, but 0 are there"),
        Arguments.of(weight(HUGE).setRawData(zeros(4)), "needs 4398046511104 bytes, but 4"),
        Arguments.of(weight(HUGE).setRawData(zeros(4096)), "needs 4398046511104 bytes, but 4096"),
        Arguments.of(weight(1).setRawData(zeros(8)), "needs 4 bytes, but 8"),
        Arguments.of(weight(2).addFloatData(1), "needs 2 values, but 1"),
        Arguments.of(weight(4).setDataType(8).setRawData(zeros(4)), "needs 0 bytes, but 4"),
        Arguments.of(weight(5).setDataType(22).setRawData(zeros(2)), "needs 3 bytes, but 2"),
        Arguments.of(weight(HUGE).setDataType(22).addInt32Data(1), "needs 1099511627776 values"));
  }

  @ParameterizedTest
  @MethodSource
  void shapes(TensorProto.Builder weight, String message) throws IOException {
    refuses(bytes(graph.addInitializer(weight)), "weight 'w'", message);
  }

  /** The places of a graph where a tensor can hide. */
  static Stream<Consumer<GraphProto.Builder>> hidingPlaces() {
    TensorProto bad = external("../w.data", "0", "16").build();
    SparseTensorProto sparse =
        SparseTensorProto.newBuilder().setValues(bad).setIndices(weight(0)).build();
    GraphProto inner = GraphProto.newBuilder().addNode(constant(a -> a.setT(bad))).build();
    return Stream.of(
        graph -> graph.addInitializer(bad),
        graph -> graph.addSparseInitializer(sparse),
        graph -> graph.addNode(constant(a -> a.setT(bad))),
        graph -> graph.addNode(constant(a -> a.addTensors(bad))),
        graph -> graph.addNode(constant(a -> a.setSparseTensor(sparse))),
        graph -> graph.addNode(constant(a -> a.addSparseTensors(sparse))),
        graph -> graph.addNode(constant(a -> a.setG(inner))),
        graph ->
            graph.addNode(constant(a -> a.addGraphs(GraphProto.newBuilder().addInitializer(bad)))));
  }

  private static NodeProto.Builder constant(Consumer<AttributeProto.Builder> value) {
    AttributeProto.Builder attribute = AttributeProto.newBuilder().setName("value");
    value.accept(attribute);
    return GraphNodes.node("Constant", List.of(), "c").addAttribute(attribute);
  }

  @ParameterizedTest
  @MethodSource
  void hidingPlaces(Consumer<GraphProto.Builder> hide) throws IOException {
    hide.accept(graph);
    refuses(bytes(graph), "weight 'w' points to external data '../w.data'");
  }

  @Test
  void refusesSecondProducers() throws IOException {
    graph.addNode(GraphNodes.node("Neg", List.of("x"), "y").setName("again"));
    refuses(bytes(graph), "node Neg 'again' produces 'y', which another node produces already");
    graph.removeNode(1).addNode(GraphNodes.node("Neg", List.of("y"), "x").setName("again"));
    refuses(bytes(graph), "produces 'x', which is an input or a weight already");
  }

  @Test
  void refusesCyclesButNotDisorder() throws IOException {
    graph.clearNode();
    graph.addNode(GraphNodes.node("Neg", List.of("b"), "y").setName("last"));
    graph.addNode(GraphNodes.node("Neg", List.of("a"), "b").setName("middle"));
    graph.addNode(GraphNodes.node("Neg", List.of("x"), "a").setName("first"));
    Files.write(file, bytes(graph));
    assertThat(OnnxGraph.read(file).nodes())
        .extracting(NodeProto::getName)
        .containsExactly("first", "middle", "last");

    graph.setNode(2, GraphNodes.node("Neg", List.of("y"), "a").setName("first"));
    refuses(bytes(graph), "waits in a circle for its own result");
    graph.setNode(2, GraphNodes.node("Neg", List.of("a"), "a").setName("first"));
    refuses(bytes(graph), "waits in a circle for its own result");
  }

  @Test
  void namesNodesWithoutOutputs() throws IOException {
    graph.addNode(NodeProto.newBuilder().setOpType("Sink").addInput("nowhere"));
    refuses(bytes(graph), "node Sink '' reads 'nowhere', which nothing produces");
  }

  @Test
  void saysEveryNameInOneShortLine() throws IOException {
    String name = "a\nb\u001b[31m\u2028" + "c".repeat(100_000);
    graph.addNode(GraphNodes.node(name, List.of(name), name).setName(name));
    refuses(bytes(graph), "node a?b?[31m?ccc");
    assertThatThrownBy(() -> OnnxGraph.read(file))
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(1500).doesNotContain("\u001b"));
    graph.removeNode(1).addInitializer(weight(-1).setName(name));
    refuses(bytes(graph), "weight 'a?b?[31m?ccc");
  }

  @Test
  void refusesOutputsOfNothing() throws IOException {
    graph.addOutput(GraphNodes.shapeless("z", GraphNodes.FLOAT));
    refuses(bytes(graph), "nothing produces the output 'z'");
    refuses(bytes(graph.clearOutput()), "holds no ONNX graph");
  }

  @Test
  void refusesModelsWithoutOpset() throws IOException {
    ModelProto.Builder model = ModelProto.newBuilder().setGraph(graph);
    refuses(model.build().toByteArray(), "does not say which opset");
    model.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("com.microsoft").setVersion(1));
    refuses(model.build().toByteArray(), "does not say which opset");
  }

  @Test
  void refusesDeepNesting() throws IOException {
    GraphProto.Builder inner = GraphProto.newBuilder();
    for (int depth = 0; depth < 200; depth++) {
      GraphProto.Builder outer = GraphProto.newBuilder();
      GraphProto within = inner.build();
      outer.addNode(constant(a -> a.setG(within)));
      inner = outer;
    }
    refuses(bytes(graph.addAllNode(inner.getNodeList())), "its subgraphs are nested too deep");
  }
}

package dev.squint.onnx.internal.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TrainingInfoProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import dev.squint.error.ModelException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
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

  static Stream<Arguments> fields() {
    return Stream.of(
        Arguments.of("0001", "a field has no number"),
        Arguments.of("ffffffffff01", "a field has no number"),
        Arguments.of("08ffffffffffffffffffff01", "a number is too long"),
        Arguments.of("0b0c", "a field is of no known kind"),
        Arguments.of("0e", "a field is of no known kind"),
        Arguments.of("3a020d00", "the file ends early"),
        Arguments.of("3a020aff01", "the file ends early"),
        Arguments.of("42020aff", "it is damaged"));
  }

  @ParameterizedTest
  @MethodSource
  void fields(String bytes, String reason) throws IOException {
    refuses(HexFormat.of().parseHex(bytes), "(" + reason + ")");
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
        "next to the graph");
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

  private static ModelProto.Builder model(GraphProto.Builder graph) {
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
        .setGraph(graph);
  }

  @Test
  void refusesFunctions() throws IOException {
    FunctionProto function =
        FunctionProto.newBuilder()
            .setName("F\n")
            .setDomain("own")
            .addNode(NodeProto.newBuilder().setOpType("F").setDomain("own"))
            .build();
    refuses(
        model(graph).addFunctions(function).build().toByteArray(),
        "has functions of its own, such as 'F?'",
        "inlined");
  }

  @Test
  void leavesOutWhatIsNotChecked() throws IOException {
    UnknownFieldSet unknown =
        UnknownFieldSet.newBuilder()
            .addField(999, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
            .build();
    graph.getNodeBuilder(0).setUnknownFields(unknown);
    graph.addInitializer(weight(1).addFloatData(1).setUnknownFields(unknown));
    GraphProto training = graph.build();
    ModelProto whole =
        model(graph)
            .addTrainingInfo(TrainingInfoProto.newBuilder().setAlgorithm(training))
            .addMetadataProps(entry("a", "b"))
            .setUnknownFields(unknown)
            .build();
    Files.write(file, whole.toByteArray());

    ModelProto read = ModelProto.parseFrom(OnnxGraph.read(file).bytes());

    assertThat(read.getTrainingInfoCount()).isZero();
    assertThat(read.getMetadataPropsCount()).isZero();
    assertThat(read.getUnknownFields().asMap()).isEmpty();
    assertThat(read.getGraph().getNode(0).getUnknownFields().asMap()).isEmpty();
    assertThat(read.getGraph().getInitializer(0).getUnknownFields().asMap()).isEmpty();
  }

  static Stream<Arguments> versions() {
    return Stream.of(
        Arguments.of(8, new long[] {Long.MAX_VALUE}, "opset 9223372036854775807"),
        Arguments.of(8, new long[] {-1}, "opset -1"),
        Arguments.of(8, new long[] {17, 18}, "opset 18"),
        Arguments.of(-1, new long[] {17}, "IR version -1"),
        Arguments.of(1L << 40, new long[] {17}, "IR version 1099511627776"));
  }

  @ParameterizedTest
  @MethodSource
  void versions(long ir, long[] opsets, String message) throws IOException {
    ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(ir).setGraph(graph);
    for (long opset : opsets) {
      model.addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset));
    }
    refuses(model.build().toByteArray(), message);
  }

  static Stream<Arguments> malformed() {
    ValueInfoProto nameless = GraphNodes.value("", GraphNodes.FLOAT, 1L);
    ValueInfoProto x = GraphNodes.value("x", GraphNodes.FLOAT, 1L);
    TensorProto one = weight(1).addFloatData(1).build();
    return Stream.of(
        spoilt(graph -> graph.addInput(x), "the input 'x' is there twice"),
        spoilt(graph -> graph.addInput(nameless), "the name '' of an input is no name"),
        spoilt(
            graph -> graph.addInput(x.toBuilder().setName("a\0b")),
            "the name 'a?b' of an input is no name"),
        spoilt(
            graph ->
                graph.addInput(x.toBuilder().setNameBytes(ByteString.copyFrom(new byte[] {-1}))),
            "of an input is no name"),
        spoilt(graph -> graph.addOutput(graph.getOutput(0)), "the output 'y' is there twice"),
        spoilt(graph -> graph.addOutput(nameless), "the name '' of an output is no name"),
        spoilt(
            graph -> graph.addInitializer(one).addInitializer(one),
            "the weight 'w' is there twice"),
        spoilt(
            graph -> graph.addInitializer(one.toBuilder().setName("")),
            "the name '' of a weight is no name"),
        spoilt(
            graph -> graph.addInitializer(weight(1).setDataType(99).setRawData(zeros(4))),
            "weight 'w' is of element type 99"),
        spoilt(graph -> graph.addInput(GraphNodes.value("z", 99, 1L)), "'z' is of element type 99"),
        spoilt(
            graph ->
                graph.addValueInfo(
                    ValueInfoProto.newBuilder()
                        .setName("v")
                        .setType(
                            TypeProto.newBuilder()
                                .setTensorType(
                                    TypeProto.Tensor.newBuilder()
                                        .setShape(
                                            TensorShapeProto.newBuilder()
                                                .addDim(
                                                    TensorShapeProto.Dimension.newBuilder()
                                                        .setDimValue(-2)))))),
            "'v' has a dimension of -2 elements"),
        spoilt(
            graph ->
                graph.addSparseInitializer(
                    SparseTensorProto.newBuilder()
                        .addDims(HUGE)
                        .setValues(one)
                        .setIndices(weight(1).setDataType(7).addInt64Data(0))),
            "the weight 'w' is sparse"),
        spoilt(
            attribute(
                AttributeProto.AttributeType.SPARSE_TENSOR,
                a ->
                    a.setSparseTensor(
                        SparseTensorProto.newBuilder()
                            .addDims(HUGE)
                            .setValues(one)
                            .setIndices(weight(1).setDataType(7).addInt64Data(0)))),
            "is sparse"),
        spoilt(graph -> graph.getNodeBuilder(0).setName("a\0"), "'a?' has a name that is no text"),
        spoilt(
            graph ->
                graph
                    .getNodeBuilder(0)
                    .addAttribute(AttributeProto.newBuilder().setName("a"))
                    .addAttribute(AttributeProto.newBuilder().setName("a")),
            "an attribute 'a' that has no name or is there twice"),
        spoilt(
            attribute(AttributeProto.AttributeType.FLOAT, a -> a.setT(one)),
            "an attribute 'a' of type FLOAT, which holds [TENSOR]"),
        spoilt(
            attribute(AttributeProto.AttributeType.INT, a -> {}),
            "an attribute 'a' of type INT, which holds nothing"),
        spoilt(
            attribute(AttributeProto.AttributeType.INT, a -> a.setI(1).setF(1)),
            "an attribute 'a' of type INT, which holds [FLOAT, INT]"),
        spoilt(
            attribute(AttributeProto.AttributeType.INT, a -> a.setRefAttrName("b").setI(1)),
            "an attribute 'a' of type INT, which holds a reference"));
  }

  private static Arguments spoilt(Consumer<GraphProto.Builder> change, String message) {
    return Arguments.of(change, message);
  }

  private static Consumer<GraphProto.Builder> attribute(
      AttributeProto.AttributeType type, Consumer<AttributeProto.Builder> value) {
    AttributeProto.Builder attribute = AttributeProto.newBuilder().setName("a").setType(type);
    value.accept(attribute);
    return graph -> graph.getNodeBuilder(0).addAttribute(attribute);
  }

  /** At the top, and in a branch of a branch. */
  @ParameterizedTest
  @MethodSource
  void malformed(Consumer<GraphProto.Builder> change, String message) throws IOException {
    GraphProto.Builder inner = graph.clone();
    change.accept(inner);
    refuses(bytes(inner), message);
    for (int depth = 0; depth < 2; depth++) {
      GraphProto branch = inner.build();
      inner =
          GraphProto.newBuilder()
              .addNode(
                  GraphNodes.node("If", List.of("x"), "y")
                      .addAttribute(
                          AttributeProto.newBuilder()
                              .setName("then_branch")
                              .setType(AttributeProto.AttributeType.GRAPH)
                              .setG(branch)))
              .addOutput(graph.getOutput(0));
    }
    refuses(bytes(inner.addInput(graph.getInput(0))), message);
  }

  @Test
  void refusesCyclesInBranches() throws IOException {
    GraphProto branch =
        GraphProto.newBuilder()
            .addNode(GraphNodes.node("Neg", List.of("b"), "a"))
            .addNode(GraphNodes.node("Neg", List.of("a"), "b"))
            .addOutput(GraphNodes.shapeless("b", GraphNodes.FLOAT))
            .build();
    graph.addNode(
        GraphNodes.node("If", List.of("x"), "z")
            .addAttribute(
                AttributeProto.newBuilder()
                    .setName("then_branch")
                    .setType(AttributeProto.AttributeType.GRAPH)
                    .setG(branch)));
    refuses(bytes(graph), "waits in a circle");
  }

  @Test
  void refusesMoreGraphsInGraphsThanAnyExportHas() throws IOException {
    GraphProto.Builder inner = GraphProto.newBuilder();
    for (int depth = 0; depth < 12; depth++) {
      GraphProto within = inner.build();
      inner = GraphProto.newBuilder().addNode(constant(a -> a.setG(within)));
    }
    refuses(bytes(graph.addAllNode(inner.getNodeList())), "its subgraphs are nested too deep");
  }

  /** How a loop is counted, how it may end before, whether that is bounded. */
  static Stream<Arguments> loops() {
    return Stream.of(
        Arguments.of("few", "", "was", true),
        Arguments.of("computed", "", "was", true),
        Arguments.of("many", "", "was", false),
        Arguments.of("", "", "computed.inside", false),
        Arguments.of("many", "true", "was", false),
        Arguments.of("", "true", "still", false),
        Arguments.of("", "true", "true", false),
        Arguments.of("many", "true", "computed.inside", true),
        Arguments.of("", "true", "computed.inside", true));
  }

  @ParameterizedTest
  @MethodSource
  void loops(String count, String condition, String goesOn, boolean bounded) throws IOException {
    GraphProto.Builder body =
        GraphProto.newBuilder()
            .addInput(GraphNodes.shapeless("round", GraphNodes.INT64))
            .addInput(GraphNodes.shapeless("was", ElementTypes.BOOL))
            .addInput(GraphNodes.shapeless("before", GraphNodes.FLOAT))
            .addNode(GraphNodes.node("Neg", List.of("before"), "after"))
            .addNode(GraphNodes.node("Less", List.of("after", "before"), "computed.inside"))
            .addNode(GraphNodes.node("Identity", List.of("was"), "still"))
            .addOutput(GraphNodes.shapeless(goesOn, ElementTypes.BOOL))
            .addOutput(GraphNodes.shapeless("after", GraphNodes.FLOAT));
    TensorProto.Builder number = TensorProto.newBuilder().setDataType(GraphNodes.INT64);
    graph
        .addInitializer(number.clone().setName("few").addInt64Data(1 << 20))
        .addInitializer(number.clone().setName("many").addInt64Data((1 << 20) + 1))
        .addInitializer(
            TensorProto.newBuilder().setName("true").setDataType(ElementTypes.BOOL).addInt32Data(1))
        .addNode(GraphNodes.node("Size", List.of("x"), "computed"))
        .addNode(
            GraphNodes.node("Loop", List.of(count, condition, "x"), "z")
                .setName("rounds")
                .addAttribute(
                    AttributeProto.newBuilder()
                        .setName("body")
                        .setType(AttributeProto.AttributeType.GRAPH)
                        .setG(body)));
    if (bounded) {
      Files.write(file, bytes(graph));
      assertThat(OnnxGraph.read(file).outputs()).containsKey("y");
    } else {
      refuses(bytes(graph), "the loop Loop 'rounds' goes round more than 1048576 times");
    }
  }

  @Test
  void refusesMoreThanFitsIntoMemoryBeforeItIsRead() throws IOException {
    long most = Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 16);
    byte[] header = {0x32, 0, 0, 0, 0, 0};
    long length = most + 1;
    for (int i = 1; i < header.length; i++) {
      header[i] = (byte) (length >>> 7 * (i - 1) & 0x7f | (i < header.length - 1 ? 0x80 : 0));
    }
    try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
      large.write(header);
      large.setLength(header.length + length);
    }
    refusesFile("holds more besides raw weights than is read");
  }

  @Test
  void refusesMoreNodesThanAnyExportHasBeforeTheyAreRead() throws IOException {
    int nodes = 3_000_001;
    ByteBuffer content = ByteBuffer.allocate(2 * nodes + 6).put((byte) 0x3a);
    int length = 2 * nodes;
    content.put((byte) (length & 0x7f | 0x80)).put((byte) (length >> 7 & 0x7f | 0x80));
    content.put((byte) (length >> 14 & 0x7f | 0x80)).put((byte) (length >> 21));
    for (int i = 0; i < nodes; i++) {
      content.put((byte) 0x0a).put((byte) 0);
    }
    refuses(
        Arrays.copyOf(content.array(), content.position()),
        "its graph has more than 3000000 parts");
  }

  @Test
  void readsOnThoughTheThreadIsInterrupted() throws IOException {
    Files.write(file, bytes(graph));
    Thread.currentThread().interrupt();
    OnnxGraph read = OnnxGraph.read(file);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(read.outputs()).containsKey("y");
  }

  @ParameterizedTest
  @CsvSource({
    "ConstantOfShape, 0, 4294967296",
    "Expand, 1, 536870912",
    "Tile, 1, 1099511627776",
    "OneHot, 1, 300000000",
    "Range, 1, 1099511627776"
  })
  void muchMadeOfLittle(String operator, int input, long size) throws IOException {
    List<String> inputs = new ArrayList<>(List.of("x", "x", "x"));
    inputs.set(input, "size");
    graph.addInitializer(
        TensorProto.newBuilder().setName("size").setDataType(7).addDims(1).addInt64Data(size));
    graph.addNode(
        GraphNodes.node(
            operator, inputs.subList(0, operator.equals("ConstantOfShape") ? 1 : 3), "much"));
    refuses(bytes(graph), operator, "more than 268435456 values");
    graph.getInitializerBuilder(graph.getInitializerCount() - 1).setInt64Data(0, 1 << 20);
    Files.write(file, bytes(graph));
    assertThat(OnnxGraph.read(file).outputs()).containsKey("y");
  }

  /** 256 MB of a computed shape cost ONNX Runtime over 2.5 GB before it refuses them. */
  @ParameterizedTest
  @ValueSource(
      strings = {"ConstantOfShape", "Expand", "Tile", "Reshape", "Unsqueeze", "Slice", "ReduceSum"})
  void aShapeOfMillionsOfAxes(String operator) throws IOException {
    graph.addInitializer(
        TensorProto.newBuilder().setName("often").setDataType(7).addDims(1).addInt64Data(1 << 25));
    graph.addNode(GraphNodes.node("Tile", List.of("x", "often"), "tiled"));
    graph.addNode(GraphNodes.node("Equal", List.of("x", "tiled"), "equal"));
    graph.addNode(GraphNodes.node("Where", List.of("equal", "x", "x"), "long"));
    List<String> inputs =
        operator.equals("ConstantOfShape") ? List.of("long") : List.of("x", "long");
    graph.addNode(GraphNodes.node(operator, inputs, "much"));
    refuses(bytes(graph), operator, "takes a tensor of more than 64 values as a shape or as axes");
  }

  @Test
  void aWeightOrAReshapedTensorOfManyValuesIsNoShape() throws IOException {
    graph.addInitializer(
        TensorProto.newBuilder().setName("size").setDataType(7).addDims(1).addInt64Data(1 << 30));
    graph.addNode(GraphNodes.node("Reshape", List.of("x", "size"), "long"));
    graph.addNode(GraphNodes.node("Expand", List.of("x", "long"), "much"));
    refuses(bytes(graph), "Expand", "takes a tensor of more than 64 values as a shape");
    graph.removeNode(graph.getNodeCount() - 1);
    TensorProto.Builder weight = TensorProto.newBuilder().setName("w").setDataType(7).addDims(65);
    for (int i = 0; i < 65; i++) {
      weight.addInt64Data(1);
    }
    graph.addInitializer(weight);
    graph.addNode(GraphNodes.node("Expand", List.of("x", "w"), "much"));
    refuses(bytes(graph), "Expand", "takes a tensor of more than 64 values as a shape");
  }
}

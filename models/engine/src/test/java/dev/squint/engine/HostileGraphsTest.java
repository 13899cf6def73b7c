package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import dev.squint.engine.request.FinishReason;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Graphs that native code would end the process on, or write about to standard error. They are
 * loaded in a process of their own, which has to live through all of them and to print one line for
 * each.
 */
class HostileGraphsTest {

  private static final List<String> GRAPHS =
      List.of("vision_encoder", "embed_tokens", "decoder_model_merged");

  /** What is done to a graph, and what the line says then. */
  private record Damage(Consumer<ModelProto.Builder> change, String message) {}

  private static final Map<String, Damage> DAMAGES =
      Map.of(
          "functions", new Damage(HostileGraphsTest::addFunction, "functions of its own"),
          "ir", new Damage(model -> model.setIrVersion(99), "older IR version"),
          "opset",
              new Damage(
                  model -> model.clearOpsetImport().addOpsetImport(opset(99)), "older IR version"),
          "operator",
              new Damage(
                  model -> first(model).setOpType("Unheard"), "operators that ONNX Runtime has"),
          "inputs", new Damage(model -> first(model).clearInput(), "ONNX Runtime refuses"),
          "domain", new Damage(model -> first(model).setDomain("own"), "ONNX Runtime"));

  @TempDir Path temp;

  private static OperatorSetIdProto opset(long version) {
    return OperatorSetIdProto.newBuilder().setVersion(version).build();
  }

  private static NodeProto.Builder first(ModelProto.Builder model) {
    return model.getGraphBuilder().getNodeBuilder(0);
  }

  /** The first node calls a function that calls itself. */
  private static void addFunction(ModelProto.Builder model) {
    NodeProto.Builder call = first(model).clearAttribute().setOpType("F").setDomain("own");
    FunctionProto.Builder function = FunctionProto.newBuilder().setName("F").setDomain("own");
    NodeProto.Builder again = NodeProto.newBuilder().setOpType("F").setDomain("own");
    for (int i = 0; i < call.getInputCount(); i++) {
      function.addInput("a" + i);
      again.addInput("a" + i);
    }
    function.addOutput("b").addNode(again.addOutput("b"));
    OperatorSetIdProto own = opset(1).toBuilder().setDomain("own").build();
    model.addFunctions(function.addOpsetImport(own)).addOpsetImport(own);
  }

  private Path copy(String name) throws IOException {
    Path folder = temp.resolve(name);
    try (Stream<Path> files = Files.walk(TinyLlava.folder())) {
      for (Path file : files.toList()) {
        Path target = folder.resolve(TinyLlava.folder().relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
    return folder;
  }

  private static void change(Path folder, String graph, Consumer<ModelProto.Builder> change)
      throws IOException {
    Path file = folder.resolve("onnx").resolve(graph + ".onnx");
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(file)).toBuilder();
    change.accept(model);
    Files.write(file, model.build().toByteArray());
  }

  @Test
  void eachIsOneLineAndTheProcessLives() throws IOException, InterruptedException {
    Map<String, String> expected = new LinkedHashMap<>();
    for (String graph : GRAPHS) {
      for (Map.Entry<String, Damage> damage : DAMAGES.entrySet()) {
        String name = graph + "-" + damage.getKey();
        change(copy(name), graph, damage.getValue().change());
        expected.put(name, damage.getValue().message());
      }
    }
    copy("whole");
    expected.put("whole", "answers");

    List<String> lines = said(List.copyOf(expected.keySet()));

    assertThat(lines).hasSameSizeAs(expected.keySet());
    int next = 0;
    for (Map.Entry<String, String> line : expected.entrySet()) {
      assertThat(lines.get(next++))
          .startsWith(line.getKey() + ": ")
          .contains(line.getValue())
          .doesNotContain("onnxruntime_src", "onnxruntime::")
          .hasSizeLessThan(700);
    }
  }

  private List<String> said(List<String> folders) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "@" + Path.of("../../models/fixtures/java.args").toAbsolutePath(),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dai.djl.onnxruntime.num_threads=1",
                "-cp",
                System.getProperty("java.class.path"),
                HostileGraphsMain.class.getName()));
    folders.forEach(folder -> command.add(temp.resolve(folder).toString()));
    Path errors = temp.resolve("errors.txt");
    Process process =
        new ProcessBuilder(command).redirectError(errors.toFile()).directory(temp.toFile()).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    List<String> lines = Files.readAllLines(errors);
    assertThat(status).as("%s %s", output, lines).isZero();
    assertThat(output).isEmpty();
    return lines;
  }

  @Test
  void anInterruptedThreadLoadsAndIsCancelledAndStaysInterrupted() {
    Thread.currentThread().interrupt();
    try (VisionLanguageModel model = TinyLlava.open()) {
      Generation answer =
          model.generate(
              TinyLlava.prompt(),
              TestStrategy.none(),
              GenerationOptions.builder().maxNewTokens(2).build());
      assertThat(answer.finish()).isEqualTo(FinishReason.CANCELLED);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }
}

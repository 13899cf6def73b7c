package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What {@code inspect} says of a model, {@code ask} does. */
class InspectCommandTest {

  private static final Path EMBEDDED = Path.of("../../models/tiny/src/main/resources/squint-tiny");
  private static final String EXPORTS = "../../models/fixtures/data/exports/";

  @TempDir Path temp;

  private Path model;

  private record Outcome(int code, String out, String err) {}

  private static Outcome run(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line = SquintCommand.commandLine();
    line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    int code = line.execute(arguments);
    return new Outcome(code, out.toString(), err.toString());
  }

  private Outcome ask(String... more) {
    List<String> arguments =
        Stream.concat(
                Stream.of(
                    "ask",
                    "../images/scene-01.png",
                    "how many objects are there?",
                    "--model",
                    model.toString()),
                Stream.of(more))
            .toList();
    return run(arguments.toArray(String[]::new));
  }

  @BeforeEach
  void copy() throws IOException {
    model = temp.resolve("model");
    try (Stream<Path> files = Files.walk(EMBEDDED)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = model.resolve(EMBEDDED.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
  }

  private void move(String graph, String suffix) throws IOException {
    Path onnx = model.resolve("onnx");
    Files.move(onnx.resolve(graph + ".onnx"), onnx.resolve(graph + suffix + ".onnx"));
  }

  @Test
  void theLineAnswersSaysYes() throws IOException {
    Outcome outcome = run("inspect", model.toString());
    assertThat(outcome.out()).contains("answers         yes");
    assertThat(outcome.out()).contains("visual tokens   576 per image");
    assertThat(ask("--max-new-tokens", "4").code()).isZero();
    JsonNode json = new ObjectMapper().readTree(run("inspect", model.toString(), "--json").out());
    assertThat(json.path("answers").asText()).isEqualTo("yes");
    assertThat(json.path("visualTokens").asInt()).isEqualTo(576);
  }

  @Test
  void theLineAnswersSaysWhyNotAsAskDoes() throws IOException {
    Files.delete(model.resolve("tokenizer.json"));
    String sentence = ask().err().strip().replaceFirst("^squint: ", "");
    assertThat(sentence).contains("tokenizer.json");
    assertThat(run("inspect", model.toString()).out()).contains("answers         no, " + sentence);
  }

  @Test
  void aPrecisionIsChosenByBoth() throws IOException {
    for (String graph : List.of("decoder_model_merged", "vision_encoder")) {
      Files.copy(
          model.resolve("onnx").resolve(graph + ".onnx"),
          model.resolve("onnx").resolve(graph + "_q4.onnx"));
    }
    Files.write(model.resolve("onnx/decoder_model_merged.onnx"), new byte[] {1});
    assertThat(ask().err()).contains("decoder_model_merged.onnx is not a readable ONNX file");
    assertThat(ask("--precision", "q4", "--max-new-tokens", "4").code()).isZero();
    Outcome inspected = run("inspect", model.toString(), "--precision", "q4");
    assertThat(inspected.out())
        .contains("answers         yes", "decoder_model_merged_q4.onnx", "embed_tokens.onnx");
    assertThat(ask("--precision", "int8").err())
        .contains("has no graph of precision 'int8'", "there is fp32, q4");
    move("embed_tokens", "_fp16");
    assertThat(ask("--precision", "q4", "--max-new-tokens", "4").code()).isZero();
  }

  @Test
  void aBuildersNodesTellHeadsAndWidths() {
    Outcome outcome = run("inspect", EXPORTS + "genai-llama-int4/decoder.onnx");
    assertThat(outcome.out())
        .contains("4 layers, hidden size 64, 4 heads, 2 KV heads of width 16, vocabulary 72")
        .contains("answers         no, ")
        .contains("is a file; name the model's folder");
  }
}

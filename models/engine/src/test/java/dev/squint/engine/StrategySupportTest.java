package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StrategySupportTest {

  private static final Path EXPORTS = Path.of("..", "fixtures", "data", "exports");

  @TempDir Path temp;

  private static void copy(String export, Path folder, String from, String to) throws IOException {
    Files.copy(EXPORTS.resolve(export).resolve(from), folder.resolve(to));
  }

  @Test
  void aHubFolderIsTriedWithEveryStrategy() {
    StrategySupport support = StrategySupport.of(TinyLlava.folder(), "");
    assertThat(support.model().layout()).isEqualTo("hub");
    assertThat(support.model().visualTokens()).contains(16);
    Map<String, Optional<String>> strategies = support.strategies();
    assertThat(strategies).containsKeys("none", "random", "uniform", "fastv", "fastervlm");
    assertThat(strategies.values()).allMatch(Optional::isEmpty);
    assertThat(support.note()).isEmpty();
  }

  @Test
  void whatRunningTellsIsTaken() {
    StrategySupport support = StrategySupport.of(TinyLlava.folder(), "", OptionalInt.of(12));
    assertThat(support.model().visualTokens()).contains(12);
  }

  @Test
  void withoutATowerNoneIsTried() throws IOException {
    Files.createDirectories(temp.resolve("onnx"));
    copy("llama-q4", temp, "decoder.onnx", "onnx/decoder_model_merged_q4.onnx");
    StrategySupport support = StrategySupport.of(temp, "");
    assertThat(support.note().orElseThrow()).contains("a vision tower");
    assertThat(support.strategies()).isEmpty();
    assertThat(support.model().decoder()).isPresent();
  }

  @Test
  void strategiesAreTriedOnFamiliesThatAreOnlySplit() throws IOException {
    Path qwen = Files.createDirectories(temp.resolve("qwen/onnx")).getParent();
    copy("qwen2vl-ts-eager", qwen, "decoder.onnx", "onnx/decoder_model_merged.onnx");
    copy("vision-qwen25vl-ts", qwen, "vision.onnx", "onnx/vision_encoder.onnx");
    Files.writeString(qwen.resolve("config.json"), "{\"model_type\": \"qwen2_5_vl\"}");
    StrategySupport report = StrategySupport.of(qwen, "");
    assertThat(report.model().family()).contains("qwen2_5_vl");
    assertThat(report.strategies().get("fastv")).isEmpty();
    assertThat(report.strategies().get("fastervlm").orElseThrow())
        .contains("vision layer 2", "attends within windows");
  }
}

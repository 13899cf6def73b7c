package dev.squint.engine.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtProvider;
import dev.squint.engine.TinyLlava;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.error.ModelException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExecutionProviderTest {

  @Test
  void namesAreParsed() {
    assertThat(ExecutionProvider.parse("cpu")).isEqualTo(new ExecutionProvider.Cpu());
    assertThat(ExecutionProvider.parse("CUDA")).isEqualTo(new ExecutionProvider.Cuda(0));
    assertThat(ExecutionProvider.parse("cuda:3")).isEqualTo(new ExecutionProvider.Cuda(3));
    assertThat(ExecutionProvider.parse(" auto ")).isEqualTo(new ExecutionProvider.Auto());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cpu:0"})
  void otherNamesAreRefused(String name) {
    assertThatThrownBy(() -> ExecutionProvider.parse(name))
        .isInstanceOf(ModelException.class)
        .hasMessage("unknown provider '%s': choose cpu, cuda, cuda:ID or auto", name);
  }

  @Test
  void cudaWithoutGpuIsOneSentenceAndAutoFallsBack() {
    assumeFalse(
        OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA),
        "needs a build without CUDA");
    ModelOptions cuda =
        TinyLlava.options().toBuilder().provider(new ExecutionProvider.Cuda(1)).build();
    assertThatThrownBy(() -> VisionLanguageModel.open(TinyLlava.folder(), cuda))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith("provider 'cuda:1': this build of ONNX Runtime has no CUDA")
        .hasMessageEndingWith("or choose cpu");
    ModelOptions auto =
        TinyLlava.options().toBuilder().provider(new ExecutionProvider.Auto()).build();
    try (VisionLanguageModel model = VisionLanguageModel.open(TinyLlava.folder(), auto)) {
      assertThat(model.provider()).isEqualTo("cpu");
    }
  }

  @Test
  void cacheFolderFollowsPropertyThenEnvironmentThenHome() {
    Map<String, String> environment = Map.of("XDG_CACHE_HOME", "xdg", "LOCALAPPDATA", "local");
    assertThat(ModelOptions.defaultCache("own", environment, "home")).isEqualTo(Path.of("own"));
    assertThat(ModelOptions.defaultCache(null, environment, "home"))
        .isEqualTo(Path.of("xdg", "squint"));
    assertThat(ModelOptions.defaultCache("", Map.of("LOCALAPPDATA", "local"), "home"))
        .isEqualTo(Path.of("local", "squint"));
    assertThat(ModelOptions.defaultCache(null, Map.of(), "home"))
        .isEqualTo(Path.of("home", ".cache", "squint"));
  }
}

package dev.squint.engine.options;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.SamplingOptions;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class OptionsTest {

  @Test
  void defaultsOfARequest() {
    GenerationOptions options = GenerationOptions.defaults();
    assertThat(options).isEqualTo(GenerationOptions.builder().build());
    assertThat(options)
        .hasToString(
            "GenerationOptions[maxNewTokens=96, sampling=SamplingOptions[seed=0], seed=0, measureSpeedup=false, keepFirstLogits=false]");
  }

  @Test
  void anOptionOfARequestChangesItselfOnly() {
    GenerationOptions all =
        GenerationOptions.builder()
            .maxNewTokens(3)
            .sampling(SamplingOptions.builder().temperature(0.5).topK(3).seed(9).build())
            .seed(5)
            .measureSpeedup(true)
            .keepFirstLogits(true)
            .build();
    assertThat(all.toBuilder().build()).isEqualTo(all).hasSameHashCodeAs(all);
    assertThat(all)
        .hasToString(
            "GenerationOptions[maxNewTokens=3, sampling=SamplingOptions[temperature=0.5, topK=3, seed=9], seed=5, measureSpeedup=true, keepFirstLogits=true]");
    assertThat(all.toBuilder().seed(6).build())
        .isNotEqualTo(all)
        .hasToString(
            "GenerationOptions[maxNewTokens=3, sampling=SamplingOptions[temperature=0.5, topK=3, seed=9], seed=6, measureSpeedup=true, keepFirstLogits=true]");
  }

  @Test
  void anOptionOfAModelChangesItselfOnly() {
    ModelOptions all =
        ModelOptions.builder()
            .provider(new ExecutionProvider.Cuda(1))
            .threads(2)
            .cacheFolder(Path.of("cache"))
            .maxCachedSplits(7)
            .precision("q4")
            .maxConcurrentRequests(5)
            .maxWaitingRequests(6)
            .memoryBudget(8)
            .whenFull(WhenFull.REFUSE)
            .onClose(OnClose.CANCEL)
            .chatTemplate(Path.of("chat.jinja"))
            .build();
    assertThat(all.toBuilder().build()).isEqualTo(all).hasSameHashCodeAs(all);
    assertThat(all.toBuilder().threads(3).build())
        .isNotEqualTo(all)
        .hasToString(
            "ModelOptions[provider=Cuda[id=1], threads=3, cacheFolder=cache, maxCachedSplits=7, precision=q4, maxConcurrentRequests=5, maxWaitingRequests=6, memoryBudget=8, whenFull=REFUSE, onClose=CANCEL, chatTemplate=Optional[chat.jinja]]");
    assertThat(ModelOptions.defaults().maxCachedSplits()).isZero();
  }
}

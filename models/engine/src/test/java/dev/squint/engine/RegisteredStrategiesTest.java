package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.ModelInput;
import dev.squint.fixtures.Share;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.trace.SiteTrace;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The strategies of the pruning module on a model. */
class RegisteredStrategiesTest {

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  private static Generation unpruned;

  @BeforeAll
  static void answer() {
    unpruned = generate("none");
  }

  private static Generation generate(String spec) {
    return TINY.model().generate(TinyLlava.prompt(), Strategies.parse(spec), TinyLlava.sixTokens());
  }

  static List<String> names() {
    return Strategies.available().stream().map(StrategyType::name).toList();
  }

  @ParameterizedTest
  @MethodSource("names")
  void eachActsWithItsDefaults(String name) {
    var trace = generate(name).trace();
    assertThat(trace.visualTokens()).isEqualTo(TinyLlava.VISUAL);
    if (name.equals("none")) {
      assertThat(trace.sites()).isEmpty();
      assertThat(trace.prefillFlops()).isEqualTo(trace.unprunedPrefillFlops());
    } else if (Strategies.parse(name).cache(TINY.model().facts()).isPresent()) {
      assertThat(trace.kvBytes()).isLessThan(trace.unprunedKvBytes());
    } else if (name.equals("exit")) {
      assertThat(trace.sites())
          .allMatch(site -> site.after() == 0 || site.after() == site.before());
    } else {
      assertThat(trace.sites())
          .allMatch(site -> site.after() <= site.before())
          .anyMatch(site -> site.after() < site.before());
      assertThat(trace.prefillFlops()).isLessThan(trace.unprunedPrefillFlops());
      assertThat(trace.kvBytes()).isLessThan(trace.unprunedKvBytes());
    }
  }

  static Stream<String> everyThird() {
    return Share.of(names(), 0, 3);
  }

  @ParameterizedTest
  @MethodSource("everyThird")
  void eachActsOnSeveralImages(String name) {
    ModelInput prompt = TinyLlava.twoImages();
    Generation made = TINY.model().generate(prompt, Strategies.parse(name), TinyLlava.sixTokens());
    int[] tokens = made.trace().tokensPerLayer();
    assertThat(made.trace().visualTokens()).isEqualTo(2 * TinyLlava.VISUAL);
    for (SiteTrace site : made.trace().sites()) {
      assertThat(IntStream.of(site.keptOriginal())).allMatch(token -> token < 2 * TinyLlava.VISUAL);
      if (site.site().depth() >= 0) {
        int text = prompt.layout().length() - 2 * TinyLlava.VISUAL;
        assertThat(tokens[site.site().depth()]).isEqualTo(text + site.after());
      }
    }
    assertThat(made.firstLogits()).doesNotContain(Float.NaN);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fastv:k=1,keep=1.0",
        "fastv:k=2,keep=1.0",
        "fastv:k=3,keep=1.0",
        "fastervlm:keep=1.0",
        "vtc-cls:keep=1.0",
        "visionzip:keep=1.0",
        "vispruner:keep=1.0",
        "vscan:keep=1.0",
        "divprune:keep=1.0",
        "cdpruner:keep=1.0",
        "tome:keep=1.0",
        "mustdrop:keep=1.0",
        "dart:keep=1.0",
        "scope:keep=1.0",
        "mmtok:keep=1.0",
        "priortr:keep=1.0",
        "v2drop:keep=1.0",
        "pyramiddrop:keep=1.0",
        "pyramiddrop:rule=code,keep=1.0",
        "psigmoid:keep=1.0",
        "layerwise:share=1.0",
        "sparsevlm:lambda=0",
        "zipvl:tau=1.0",
        "twilight:p=1.0",
        "random:keep=1.0,at=2",
        "uniform:keep=1.0",
        "fastervlm:keep=1.0 + fastv:k=2,keep=1.0"
      })
  void keepingAllEqualsUnpruned(String spec) {
    Generation kept = generate(spec);
    assertThat(kept.tokens()).containsExactly(unpruned.tokens());
    assertThat(kept.firstLogits()).containsExactly(unpruned.firstLogits(), offset(1e-5f));
  }

  @Test
  void theKeptTokensAreThoseWithTheMostAttentionInPyTorch() {
    JsonNode reference = TinyLlava.reference();
    SiteTrace fastV = generate("fastv:k=2,keep=0.5").trace().sites().get(0);
    assertThat(fastV.keptOriginal())
        .containsExactly(top(TinyLlava.floats(reference.path("textAttention").get(1)), 8));
    SiteTrace fasterVlm = generate("fastervlm:keep=0.25").trace().sites().get(0);
    assertThat(fasterVlm.keptOriginal())
        .containsExactly(top(TinyLlava.floats(reference.path("clsAttention").get(1)), 4));
  }

  private static int[] top(float[] scores, int count) {
    return IntStream.range(0, scores.length)
        .boxed()
        .sorted((a, b) -> Float.compare(scores[b], scores[a]))
        .limit(count)
        .mapToInt(Integer::intValue)
        .sorted()
        .toArray();
  }
}

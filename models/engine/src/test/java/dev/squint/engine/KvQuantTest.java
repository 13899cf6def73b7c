package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.squint.engine.request.Generation;
import dev.squint.error.StrategyException;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.trace.Trace;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Quantised KV caches on the fixture: 4 layers, 2 KV heads of width 8, 16 visual tokens. */
class KvQuantTest {

  private static final int HEADS = 2;
  private static final int WIDTH = 8;

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  private static Generation generate(String spec) {
    return TINY.model().generate(TinyLlava.prompt(), Strategies.parse(spec), TinyLlava.sixTokens());
  }

  /** The last of as many tokens as were asked for is not fed again. */
  private static int steps(Generation answer) {
    return Math.min(5, answer.tokens().length);
  }

  /** Bytes of keys and values of a token in a layer: numbers, and scale and least per head. */
  private static int bytes(int bits) {
    return 2 * HEADS * (WIDTH * bits / 8 + 2 * Float.BYTES);
  }

  @ParameterizedTest
  @CsvSource({"8", "4", "2"})
  void traceCountsWhatLiesInMemory(int bits) {
    Generation answer = generate("kv-quant:bits=" + bits);
    Trace trace = answer.trace();
    int tokens = trace.promptTokens() + steps(answer);
    assertThat(trace.kvBytes()).isEqualTo((long) TinyLlava.LAYERS * tokens * bytes(bits));
    assertThat(trace.unprunedKvBytes())
        .isEqualTo((long) TinyLlava.LAYERS * tokens * 2 * HEADS * WIDTH * Float.BYTES);
    assertThat(trace.sites()).isEmpty();
  }

  @Test
  void traceCountsBothWidthsAndTheOrder() {
    Generation answer = generate("kv-quant:bits=8,low=2,salient=0.5,text=1");
    Trace trace = answer.trace();
    int prompt = trace.promptTokens();
    int text = prompt - TinyLlava.VISUAL;
    int half = (int) Math.rint(prompt * 0.5);
    long expected =
        TinyLlava.LAYERS * ((long) steps(answer) * bytes(8) + prompt * (long) Integer.BYTES);
    expected += text * bytes(8) + (prompt - text) * bytes(2);
    expected += (TinyLlava.LAYERS - 1L) * (half * bytes(8) + (prompt - half) * bytes(2));
    assertThat(trace.kvBytes()).isEqualTo(expected);
  }

  @Test
  void prefillIsThatOfTheExactCache() {
    Generation whole = generate("none");
    for (String spec : new String[] {"kv-quant:bits=8", "kv-quant:bits=8,salient=0.2"}) {
      Generation quantised = generate(spec);
      assertThat(quantised.firstLogits()).containsExactly(whole.firstLogits(), offset(1e-5f));
      assertThat(quantised.trace().prefillFlops()).isEqualTo(whole.trace().prefillFlops());
    }
    assertThat(generate("kv-quant:bits=8").tokens()).containsExactly(whole.tokens());
  }

  @Test
  void composesWithPruning() {
    Generation pruned = generate("fastv:k=2,keep=0.5");
    Generation both = generate("fastv:k=2,keep=0.5 + kv-quant:bits=8");
    assertThat(both.firstLogits()).containsExactly(pruned.firstLogits(), offset(1e-5f));
    assertThat(both.tokens()).containsExactly(pruned.tokens());
    Trace trace = both.trace();
    assertThat(trace.tokensPerLayer()).containsExactly(pruned.trace().tokensPerLayer());
    long tokens =
        Arrays.stream(trace.tokensPerLayer()).sum() + (long) TinyLlava.LAYERS * steps(both);
    assertThat(trace.kvBytes()).isEqualTo(tokens * bytes(8));
  }

  @Test
  void refusesTwoPlansForOneCache() {
    assertThatThrownBy(() -> generate("kv-quant:bits=8 + kv-quant:bits=4"))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("two of its parts act on the KV cache");
  }
}

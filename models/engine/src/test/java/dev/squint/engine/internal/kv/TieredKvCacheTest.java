package dev.squint.engine.internal.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.squint.engine.OpenTinyLlava;
import dev.squint.engine.TinyLlava;
import dev.squint.engine.request.Generation;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.trace.Trace;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A cache whose visual tokens are split, on the fixture of 4 layers and 16 visual tokens. */
class TieredKvCacheTest {

  private static final long BYTES_PER_TOKEN_AND_LAYER = 2 * 2 * 8 * Float.BYTES;

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  private static Generation generate(String spec) {
    return TINY.model().generate(TinyLlava.prompt(), Strategies.parse(spec), TinyLlava.sixTokens());
  }

  private static int steps(Generation answer) {
    return Math.min(5, answer.tokens().length);
  }

  @Test
  void evictedTokensLeaveMemoryAndParkedOnesDoNot() {
    for (String core : new String[] {"0.25", "0.5"}) {
      Generation answer = generate("avl:core=" + core + ",stay=0.5,every=2");
      Trace trace = answer.trace();
      int text = trace.promptTokens() - TinyLlava.VISUAL;
      long tokens = (long) text + TinyLlava.VISUAL / 2 + steps(answer);
      assertThat(trace.kvBytes()).isEqualTo(tokens * TinyLlava.LAYERS * BYTES_PER_TOKEN_AND_LAYER);
      assertThat(trace.unprunedKvBytes())
          .isEqualTo(
              (long) (trace.promptTokens() + steps(answer))
                  * TinyLlava.LAYERS
                  * BYTES_PER_TOKEN_AND_LAYER);
    }
  }

  @Test
  void prefillIsUntouchedAndAllThatStayMeansNothingChanges() {
    Generation whole = generate("none");
    Generation all = generate("avl:core=1.0,stay=1.0");
    assertThat(all.tokens()).containsExactly(whole.tokens());
    assertThat(all.trace().kvBytes()).isEqualTo(whole.trace().kvBytes());
    assertThat(all.trace().decodeFlops()).isEqualTo(whole.trace().decodeFlops());
    Generation split = generate("avl");
    assertThat(split.firstLogits()).containsExactly(whole.firstLogits(), offset(1e-5f));
    assertThat(split.trace().decodeFlops()).isLessThan(split.trace().unprunedDecodeFlops());
  }

  @Test
  void composesWithPruning() {
    Generation answer = generate("fastv:k=2,keep=0.5 + avl:core=0.25,stay=0.5,every=2");
    Trace trace = answer.trace();
    int text = trace.promptTokens() - TinyLlava.VISUAL;
    long stays = 2L * (text + 8) + 2L * (text + 4) + 4L * steps(answer);
    assertThat(trace.kvBytes()).isEqualTo(stays * BYTES_PER_TOKEN_AND_LAYER);
  }

  /** Tokens that pruning takes out are in no cache after their site. */
  @Test
  void prunedTokensAreNotInTheCache() {
    Generation answer = generate("fastervlm:keep=0.5 + fastv:k=2,keep=0.5");
    Trace trace = answer.trace();
    int text = trace.promptTokens() - TinyLlava.VISUAL;
    assertThat(trace.tokensPerLayer()).containsExactly(text + 8, text + 8, text + 4, text + 4);
    long cached = Arrays.stream(trace.tokensPerLayer()).sum() + 4L * steps(answer);
    assertThat(trace.kvBytes()).isEqualTo(cached * BYTES_PER_TOKEN_AND_LAYER);
  }
}

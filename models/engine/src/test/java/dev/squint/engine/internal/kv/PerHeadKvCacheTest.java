package dev.squint.engine.internal.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.squint.engine.OpenTinyLlava;
import dev.squint.engine.TinyLlava;
import dev.squint.engine.request.Generation;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.trace.Trace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Budgets per KV head on the fixture: 4 layers, 4 heads over 2 KV heads of width 8. */
class PerHeadKvCacheTest {

  private static final long BYTES_PER_ROW = 2 * 8 * Float.BYTES;

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  @TempDir Path folder;

  private static Generation generate(String spec) {
    return TINY.model().generate(TinyLlava.prompt(), Strategies.parse(spec), TinyLlava.sixTokens());
  }

  private static int steps(Generation answer) {
    return Math.min(5, answer.tokens().length);
  }

  @Test
  void headsTakeTheMemoryOfTheirOwnTokens() throws IOException {
    // groups weigh 6, 2 | 2, 2 | 2, 2 | 2, 2 of 20: of an average of 4 in 8 heads rint(w * 4 * 8)
    Path scores =
        Files.writeString(folder.resolve("heads"), "4 2 1 1\n1 1 1 1\n1 1 1 1\n1 1 1 1\n");
    Generation answer = generate("sparsemm:tokens=4,heads=" + scores);
    Trace trace = answer.trace();
    int text = trace.promptTokens() - TinyLlava.VISUAL;
    long visualRows = 10 + 7 * 3;
    long rows = visualRows + 8L * (text + steps(answer));
    int longest = text + 10;
    long places = 4L * longest * 2 * Integer.BYTES;
    long bias = 4L * longest * 4 * Float.BYTES;
    assertThat(trace.kvBytes()).isEqualTo(rows * BYTES_PER_ROW + places + bias);
  }

  @Test
  void aBudgetForAllChangesNothing() {
    Generation whole = generate("none");
    Generation all = generate("sparsemm:keep=1.0");
    assertThat(all.tokens()).containsExactly(whole.tokens());
    Generation some = generate("sparsemm");
    assertThat(some.firstLogits()).containsExactly(whole.firstLogits(), offset(1e-5f));
    assertThat(some.trace().kvBytes()).isLessThan(some.trace().unprunedKvBytes());
  }

  @Test
  void composesWithPruning() {
    Trace trace = generate("fastv:k=2,keep=0.5 + sparsemm:keep=0.25").trace();
    assertThat(trace.sites()).hasSize(1);
    assertThat(trace.kvBytes()).isLessThan(generate("fastv:k=2,keep=0.5").trace().kvBytes());
  }
}

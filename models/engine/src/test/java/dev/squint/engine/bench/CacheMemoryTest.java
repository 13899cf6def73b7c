package dev.squint.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whether a smaller KV cache makes a smaller process: {@code mvn -Pbench test}. The prompt of the
 * exact one runs in parts, and so takes less for scores than that of the others, which runs whole.
 */
@Tag("bench")
class CacheMemoryTest {

  private static final int GRID = 40;
  private static final int PARTS = 3;

  @TempDir Path folder;

  @Test
  void fewerBitsTakeLessMemory() throws IOException {
    SyntheticModel.write(folder, DecoderSizes.WIDE_CACHE, SyntheticDecoder.Encoding.FUSED, GRID);
    JsonNode whole = run("none");
    for (String spec :
        new String[] {"kv-quant:bits=8", "kv-quant:bits=4", "kv-quant:salient=0.4"}) {
      JsonNode small = run(spec);
      long saved = whole.get("kvBytes").asLong() - small.get("kvBytes").asLong();
      long resident = whole.get("peakKilobytes").asLong() - small.get("peakKilobytes").asLong();
      assertThat(resident).as(spec).isPositive();
      assertThat(resident * 1024 + scoresSpared()).as(spec).isGreaterThan(saved);
    }
  }

  private static long scoresSpared() {
    long rows = GRID * GRID + CacheMemory.TEXT;
    return DecoderSizes.WIDE_CACHE.heads() * rows * (rows - rows / PARTS) * Float.BYTES;
  }

  private JsonNode run(String spec) throws IOException {
    JsonNode found =
        ChildJvm.run(
            "512m",
            "cache",
            folder.toString(),
            DecoderSizes.WIDE_CACHE.name(),
            Integer.toString(GRID),
            spec,
            "2");
    System.out.println(found);
    return found;
  }
}

package dev.squint.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.fixtures.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A layer's weights are in memory once, whatever number of splits there are. */
@EnabledOnOs(OS.LINUX)
class StrategyMemoryTest {

  private static final int GRID = 6;

  @TempDir Path folder;

  static Stream<SyntheticDecoder.Encoding> encodings() {
    return Share.of(
        List.of(SyntheticDecoder.Encoding.FUSED, SyntheticDecoder.Encoding.DECOMPOSED), 0, 2);
  }

  @ParameterizedTest
  @MethodSource("encodings")
  void fourStrategiesHoldTheWeightsOnce(SyntheticDecoder.Encoding encoding) throws IOException {
    SyntheticModel.write(folder, DecoderSizes.SMALL, encoding, GRID);
    JsonNode found =
        ChildJvm.run(
            "128m",
            "strategies",
            folder.toString(),
            DecoderSizes.SMALL.name(),
            Integer.toString(GRID),
            "none;fastv:k=2;pyramiddrop;sparsevlm",
            "1",
            "1");
    long weights = found.get("weightKilobytes").asLong();
    long one = found.at("/none/RssAnon").asLong();
    long four = found.at("/sparsevlm/RssAnon").asLong();
    assertThat(one).as("%s", found).isGreaterThan(weights);
    // Three more copies would take three times the weights; heap and graphs take something too.
    assertThat(four - one).as("%s", found).isLessThan(weights);
  }
}

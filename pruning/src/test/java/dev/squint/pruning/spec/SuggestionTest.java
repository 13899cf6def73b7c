package dev.squint.pruning.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuggestionTest {

  @ParameterizedTest
  @CsvSource({
    "fastv, fastv, 0",
    "fatsv, fastv, 1",
    "fast, fastv, 1",
    "fastvv, fastv, 1",
    "kitten, sitting, 3",
    "'', none, 4",
    "ca, abc, 3"
  })
  void countsEditsAndSwaps(String a, String b, int distance) {
    assertThat(Suggestion.distance(a, b)).isEqualTo(distance);
    assertThat(Suggestion.distance(b, a)).isEqualTo(distance);
  }

  @Test
  void suggestsOnlyWhatIsNear() {
    assertThat(Suggestion.nearest("kep", List.of("k", "keep"))).contains("keep");
    assertThat(Suggestion.nearest("FastV", List.of("fastv"))).contains("fastv");
    assertThat(Suggestion.nearest("r", List.of("k", "keep"))).isEmpty();
    assertThat(Suggestion.nearest("sparsevlm2", List.of("none"))).isEmpty();
  }
}

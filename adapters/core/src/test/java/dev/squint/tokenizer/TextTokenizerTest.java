package dev.squint.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The forms of tokenizers that the hub's models have do what the Python package does with them. */
class TextTokenizerTest {

  @TempDir Path folder;

  static JsonNode cases() throws IOException {
    return new ObjectMapper()
        .readTree(TextTokenizerTest.class.getResourceAsStream("tokenizers/tokenizers.json"));
  }

  static Stream<Arguments> forms() throws IOException {
    return cases().properties().stream().map(form -> Arguments.of(form.getKey(), form.getValue()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("forms")
  void encodesAndDecodesAsThePythonPackageDoes(String name, JsonNode form) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), form.path("tokenizer").toString());
    try (TextTokenizer tokenizer = TextTokenizer.open(folder)) {
      assertThat(tokenizer.mostCharacters()).isGreaterThan(250_000);
      for (JsonNode row : form.path("rows")) {
        String text = row.path("text").textValue();
        long[] ids =
            StreamSupport.stream(row.path("ids").spliterator(), false)
                .mapToLong(JsonNode::asLong)
                .toArray();
        assertThat(tokenizer.tokens(text, true)).as("%s of '%s'", name, text).containsExactly(ids);
        assertThat(tokenizer.text(ids)).isEqualTo(row.path("decoded").textValue().strip());
      }
    }
  }
}

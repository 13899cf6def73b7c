package dev.squint.onnx.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.ModelException;
import dev.squint.onnx.internal.config.ConfigReader;
import dev.squint.onnx.internal.io.ModelJson;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a JSON file of a model folder holds, it is read right or refused in one sentence. */
@Timeout(120)
class ModelJsonTest {

  @TempDir Path folder;

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("config.json"), content);
  }

  private static void refuses(ThrowingCallable reading, String... parts) {
    assertThatThrownBy(reading)
        .isInstanceOf(ModelException.class)
        .satisfies(
            e ->
                assertThat(e.getMessage())
                    .contains("config.json")
                    .contains(parts)
                    .doesNotContain("\n")
                    .hasSizeLessThan(600));
  }

  static Stream<Arguments> noJson() {
    return Stream.of(
        Arguments.of("[".repeat(2_000_000), "nesting depth"),
        Arguments.of("{\"a\":".repeat(1000), "nesting depth"),
        Arguments.of("{\"a\":1,\"a\":2}", "Duplicate"),
        Arguments.of("{\"a\":NaN}", "valid JSON"),
        Arguments.of("{\"a\":Infinity}", "valid JSON"),
        Arguments.of("{\"a\":1} 2", "valid JSON"),
        Arguments.of("{\"a\":" + "1".repeat(5000) + "}", "length"),
        Arguments.of("{'a':1}", "valid JSON"),
        Arguments.of("{\"a\":\"\u0001\n\"}", "valid JSON"),
        Arguments.of("{\"a\":1", "valid JSON"),
        Arguments.of("nothing at all\nin two lines", "valid JSON"),
        Arguments.of("\u0000\u0000\u0000", "valid JSON"),
        Arguments.of("", "is empty"),
        Arguments.of("   \n", "holds no JSON object"),
        Arguments.of("[1]", "holds no JSON object"),
        Arguments.of("null", "holds no JSON object"),
        Arguments.of("version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"));
  }

  @ParameterizedTest
  @MethodSource("noJson")
  void whatIsNoObjectIsRefused(String content, String reason) throws IOException {
    Path file = file(content);
    refuses(() -> ModelJson.read(file), reason);
  }

  @Test
  void aFileBeyondTheSizeOfSettingsIsNotRead() throws IOException {
    Path file = folder.resolve("config.json");
    try (SeekableByteChannel channel =
        Files.newByteChannel(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.position(1L << 33);
      channel.write(ByteBuffer.wrap(new byte[] {'}'}));
    }
    refuses(() -> ModelJson.read(file), "is larger than 4,194,304 bytes");
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void whatIsNoPlainFileIsNotOpened() throws Exception {
    Path file = folder.resolve("config.json");
    Files.createDirectory(file);
    refuses(() -> ModelJson.read(file), "is no file");
    Files.delete(file);
    assertThat(new ProcessBuilder("mkfifo", file.toString()).start().waitFor()).isZero();
    refuses(() -> ModelJson.read(file), "is no file");
    Files.delete(file);
    Files.createSymbolicLink(file, Path.of("/dev/zero"));
    refuses(() -> ModelJson.read(file), "is no file");
    Files.delete(file);
    Files.createSymbolicLink(file, folder.resolve("nowhere"));
    refuses(() -> ModelJson.read(file), "no such file");
    refuses(() -> ModelJson.readIfThere(file), "no such file");
  }

  @Test
  void otherEncodingsOfUnicodeAreRead() throws IOException {
    String text = "\ufeff{\"n\":3}";
    for (Charset charset :
        new Charset[] {
          StandardCharsets.UTF_8, StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE
        }) {
      Path file = Files.write(folder.resolve("config.json"), text.getBytes(charset));
      assertThat(ModelJson.read(file).whole("n", 0, 9)).contains(3);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1e999",
        "-1e999",
        "99999999999999999999",
        "4294967297",
        "-1",
        "0",
        "11",
        "1.5",
        "1.0",
        "true",
        "\"3\"",
        "[]",
        "{}",
        "\"\\u0000\\n\""
      })
  void aWholeNumberIsNothingElse(String value) throws IOException {
    ModelJson json = ModelJson.read(file("{\"n\":" + value + "}"));
    refuses(() -> json.whole("n", 1, 10), "'n' has to be a whole number from 1 to 10");
    refuses(() -> json.positive("n", 10), "'n' has to be a whole number from 1 to 10");
    if (!value.equals("[]")) {
      refuses(() -> json.wholes("n", 1, 10), "'n' has to be a whole number from 1 to 10");
    }
  }

  @Test
  void fieldsOfOtherKindsAreRefusedAndMissingOnesAreNot() throws IOException {
    ModelJson json =
        ModelJson.read(
            file(
                "{\"n\":1,\"x\":0.5,\"t\":\"a\",\"f\":true,\"o\":{\"n\":2},\"a\":[1,2],\"z\":null}"));
    refuses(() -> json.number("t", 0, 1), "'t' has to be a number from 0.0 to 1.0, not \"a\"");
    refuses(() -> json.number("n", 0, 0.5), "'n' has to be a number");
    refuses(() -> json.text("n"), "'n' has to be a text, not 1");
    refuses(() -> json.flag("t"), "'t' has to be true or false");
    refuses(() -> json.section("n"), "'n' has to be an object");
    refuses(() -> json.section("o").text("n"), "'o.n' has to be a text, not 2");
    refuses(() -> json.numbers("a", 3, 0, 9), "'a' has to be an array of 3 numbers, not an array");
    assertThat(json.wholes("a", 0, 9)).containsExactly(1L, 2L);
    for (String field : new String[] {"z", "missing"}) {
      assertThat(json.whole(field, 0, 1)).isEmpty();
      assertThat(json.number(field, 0, 1)).isEmpty();
      assertThat(json.numbers(field, 3, 0, 1)).isEmpty();
      assertThat(json.wholes(field, 0, 1)).isEmpty();
      assertThat(json.text(field)).isEmpty();
      assertThat(json.flag(field)).isEmpty();
      assertThat(json.section(field).text("a")).isEmpty();
    }
  }

  private static final String CONFIG =
      """
      {"model_type":"llava","image_token_index":5,"vision_feature_layer":-2,
       "text_config":{"hidden_size":8,"num_attention_heads":2,"num_hidden_layers":2,
         "intermediate_size":8,"vocab_size":16,"eos_token_id":2},
       "vision_config":{"hidden_size":8,"num_attention_heads":2,"num_hidden_layers":2,
         "intermediate_size":8,"image_size":8,"patch_size":4}}
      """;

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "\"hidden_size\":8,\"num_att; \"hidden_size\":2147483648,\"num_att; text_config.hidden_size",
        "\"num_attention_heads\":2,\"num_h; \"num_attention_heads\":0,\"num_h; text_config.num_attention_heads",
        "\"num_attention_heads\":2,\"num_h; \"num_attention_heads\":9,\"num_h; cannot be shared by 9 heads",
        "\"vocab_size\":16; \"vocab_size\":\"16\"; text_config.vocab_size",
        "\"vocab_size\":16; \"vocab_size\":16,\"head_dim\":0; text_config.head_dim",
        "\"vocab_size\":16; \"vocab_size\":16,\"num_key_value_heads\":3; text_config.num_key_value_heads",
        "\"vocab_size\":16; \"vocab_size\":16,\"rope_theta\":0; text_config.rope_theta",
        "\"vocab_size\":16; \"vocab_size\":16,\"rope_theta\":1e999; text_config.rope_theta",
        "\"vocab_size\":16; \"vocab_size\":16,\"rope_parameters\":[1]; text_config.rope_parameters",
        "\"vocab_size\":16; \"vocab_size\":16,\"max_position_embeddings\":-1; max_position_embeddings",
        "\"eos_token_id\":2; \"eos_token_id\":16; eos_token_id",
        "\"eos_token_id\":2; \"eos_token_id\":[2,-1]; eos_token_id",
        "\"eos_token_id\":2; \"eos_token_id\":\"2\"; eos_token_id",
        "\"eos_token_id\":2; \"eos_token_id\":[]; name no 'eos_token_id'",
        "\"image_token_index\":5; \"image_token_index\":16; image_token_index",
        "\"image_token_index\":5; \"image_token_index\":4294967301; image_token_index",
        "\"image_token_index\":5; \"image_token_index\":5,\"image_seq_length\":0; image_seq_length",
        "\"vision_feature_layer\":-2; \"vision_feature_layer\":-3000000000; vision_feature_layer",
        "\"image_size\":8; \"image_size\":0; vision_config.image_size",
        "\"image_size\":8; \"image_size\":2; is larger than an image",
        "\"image_size\":8; \"image_size\":1000000000; vision_config.image_size",
        "\"patch_size\":4; \"patch_size\":0; vision_config.patch_size",
        "\"patch_size\":4; \"patch_size\":1.5; vision_config.patch_size",
        "\"model_type\":\"llava\"; \"model_type\":7; model_type",
      })
  void sizesThatNoModelHasAreRefused(String what, String by, String reason) throws IOException {
    file(CONFIG);
    assertThat(ConfigReader.read(folder).visualTokens()).isEqualTo(4);
    assertThat(CONFIG).contains(what);
    file(CONFIG.replace(what, by));
    refuses(() -> ConfigReader.read(folder), reason);
  }

  @Test
  void generationSettingsAreCheckedTheSameWay() throws IOException {
    file(CONFIG);
    Consumer<String> write =
        text -> {
          try {
            Files.writeString(folder.resolve("generation_config.json"), text);
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
        };
    write.accept("{\"eos_token_id\":[3,4,3]}");
    assertThat(ConfigReader.read(folder).endTokens()).containsExactlyInAnyOrder(3L, 4L);
    write.accept("{\"eos_token_id\":1e999}");
    assertThatThrownBy(() -> ConfigReader.read(folder))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("generation_config.json: 'eos_token_id' has to be");
  }

  @Test
  void namesOfFilesThatNoFileCanHaveAreRefused() throws IOException {
    Files.writeString(
        folder.resolve("genai_config.json"),
        "{\"model\":{\"decoder\":{\"filename\":\"a\\u0000b\"},\"vision\":{\"filename\":\"\\n\"}}}");
    assertThatThrownBy(() -> ModelInspector.inspect(folder, ""))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("names no graph inside its folder");
  }
}

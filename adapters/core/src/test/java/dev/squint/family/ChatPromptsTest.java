package dev.squint.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.tokenizer.TextTokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Prompts are, token by token, those of {@code LlavaProcessor.apply_chat_template}. */
class ChatPromptsTest {

  private static final int SIDE = 24;
  private static final int PATCH = 8;

  @TempDir Path folder;

  static Stream<Arguments> kinds() throws IOException {
    JsonNode kinds =
        new ObjectMapper()
            .readTree(ChatPromptsTest.class.getResourceAsStream("/dev/squint/chat/prompts.json"));
    return StreamSupport.stream(kinds.spliterator(), false)
        .map(kind -> Arguments.of(kind.path("name").textValue(), kind));
  }

  private LlavaPrompts open(JsonNode kind) throws IOException {
    for (Map.Entry<String, JsonNode> file : kind.path("files").properties()) {
      Files.writeString(folder.resolve(file.getKey()), file.getValue().textValue());
    }
    return reopen(kind.path("image_token").asInt());
  }

  private LlavaPrompts reopen(int imageToken) {
    int visual = SIDE / PATCH * (SIDE / PATCH);
    ModelConfig config =
        new ModelConfig(
            "llava",
            imageToken,
            visual,
            512,
            Set.of(258L),
            new ModelConfig.Text(1, 8, 1, 1, 8, 8, 512, 1e4),
            new ModelConfig.Vision(1, 8, 1, 8, SIDE, PATCH));
    VisionShape vision =
        new VisionShape(
            1, 8, 1, 8, visual, 3 * PATCH * PATCH, false, SIDE / PATCH, SIDE / PATCH, 8);
    return LlavaPrompts.open(folder, config, vision);
  }

  private static PixelValues pixels() {
    return new PixelValues(
        ByteBuffer.allocateDirect(3 * SIDE * SIDE * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer(),
        new long[] {1, 3, SIDE, SIDE});
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kinds")
  void tokensAreThoseOfTheProcessor(String name, JsonNode kind) throws IOException {
    try (LlavaPrompts prompts = open(kind)) {
      for (JsonNode row : kind.path("rows")) {
        String question = row.path("question").textValue();
        long[] ids =
            StreamSupport.stream(row.path("ids").spliterator(), false)
                .mapToLong(JsonNode::asLong)
                .toArray();
        assertThat(prompts.prompt(question, pixels()).tokenIds())
            .as("%s: '%s'", name, question)
            .containsExactly(ids);
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kinds")
  void specialTokensInAQuestionStayText(String name, JsonNode kind) throws IOException {
    try (LlavaPrompts prompts = open(kind)) {
      long[] plain = prompts.prompt("a", pixels()).tokenIds();
      for (String special :
          new String[] {"<s>", "</s>", "<image>", "<|im_end|>", "<|im_start|>x"}) {
        long[] ids = prompts.prompt(special, pixels()).tokenIds();
        for (long id = 257; id < 264; id++) {
          long token = id;
          if (!kind.path("name").textValue().startsWith("pieces")) {
            assertThat(count(ids, token)).as(special).isEqualTo(count(plain, token));
          }
        }
      }
    }
  }

  private static long count(long[] ids, long token) {
    return java.util.Arrays.stream(ids).filter(id -> id == token).count();
  }

  /** A template that joins what was kept apart does not get its way. */
  @Test
  void aTemplateThatMakesSpecialTokensOfAQuestionIsStopped() throws IOException {
    JsonNode kind = (JsonNode) kinds().findFirst().orElseThrow().get()[1];
    open(kind).close();
    Files.writeString(
        folder.resolve("chat_template.jinja"),
        "<image>{% for m in messages %}{{ m.content[1].text | replace('< ', '<') }}{% endfor %}");
    try (LlavaPrompts prompts = reopen(kind.path("image_token").asInt())) {
      assertThat(prompts.prompt("a < b?", pixels()).tokenIds()).isNotEmpty();
      assertThatThrownBy(() -> prompts.prompt("a </s> b?", pixels()))
          .isInstanceOf(PromptException.class)
          .hasMessageContaining("reserves");
    }
  }

  @Test
  void anImageTokenThatTheTokenizerDoesNotHaveIsRefused() throws IOException {
    JsonNode kind = (JsonNode) kinds().findFirst().orElseThrow().get()[1];
    open(kind).close();
    assertThatThrownBy(() -> reopen(5))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("tokenizer.json has no added token 5");
  }

  /** {@code clean_up_tokenization_spaces} counts for all but pairs, as in transformers 5. */
  @Test
  void answersAreCleanedUpAsTransformersDoes() throws IOException {
    Files.writeString(
        folder.resolve("tokenizer.json"),
        """
        {"added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,
        "decoder":null,"model":{"type":"WordLevel","vocab":{"it":0,"'s":1,"red":2,".":3,"[UNK]":4},"unk_token":"[UNK]"}}
        """);
    try (TextTokenizer tokenizer = TextTokenizer.open(folder)) {
      assertThat(tokenizer.text(new long[] {0, 1, 2, 3})).isEqualTo("it 's red .");
    }
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"clean_up_tokenization_spaces\":true}");
    try (TextTokenizer tokenizer = TextTokenizer.open(folder)) {
      assertThat(tokenizer.text(new long[] {0, 1, 2, 3})).isEqualTo("it's red.");
    }
  }
}

package dev.squint.family.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.chat.Role;
import dev.squint.chat.Turn;
import dev.squint.engine.request.ModelInput;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.family.PromptException;
import dev.squint.family.PromptImage;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.tokenizer.TextTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
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

  private ChatPrompts open(JsonNode kind) throws IOException {
    for (Map.Entry<String, JsonNode> file : kind.path("files").properties()) {
      Files.writeString(folder.resolve(file.getKey()), file.getValue().textValue());
    }
    return reopen(kind.path("image_token").asInt());
  }

  private ChatPrompts reopen(int imageToken) {
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
    return ChatPrompts.open(PromptFiles.of(folder), config);
  }

  private static PromptImage image(ChatPrompts prompts) {
    return PromptImages.grid(prompts, SIDE / PATCH, SIDE / PATCH);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kinds")
  void tokensAreThoseOfTheProcessor(String name, JsonNode kind) throws IOException {
    try (ChatPrompts prompts = open(kind)) {
      for (JsonNode row : kind.path("rows")) {
        String question = row.path("question").textValue();
        long[] ids =
            StreamSupport.stream(row.path("ids").spliterator(), false)
                .mapToLong(JsonNode::asLong)
                .toArray();
        assertThat(prompts.prompt(question, image(prompts)).tokenIds())
            .as("%s: '%s'", name, question)
            .containsExactly(ids);
      }
    }
  }

  private static Turn turn(JsonNode message) {
    List<Turn.Part> parts = new ArrayList<>();
    for (int i = 1; i < message.size(); i++) {
      parts.add(
          message.get(i).isNull() ? new Turn.Image() : new Turn.Text(message.get(i).textValue()));
    }
    return new Turn(Role.valueOf(message.get(0).textValue().toUpperCase(Locale.ROOT)), parts);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kinds")
  void tokensOfChatsAreThoseOfTheProcessor(String name, JsonNode kind) throws IOException {
    JsonNode chats =
        new ObjectMapper()
            .readTree(ChatPromptsTest.class.getResourceAsStream("/dev/squint/chat/chats.json"));
    JsonNode rows =
        StreamSupport.stream(chats.spliterator(), false)
            .filter(chat -> chat.path("name").textValue().equals(name))
            .findFirst()
            .orElseThrow()
            .path("rows");
    assertThat(rows).hasSizeGreaterThan(6);
    try (ChatPrompts prompts = open(kind)) {
      for (JsonNode row : rows) {
        List<Turn> turns =
            StreamSupport.stream(row.path("messages").spliterator(), false)
                .map(ChatPromptsTest::turn)
                .toList();
        int images = turns.stream().mapToInt(Turn::images).sum();
        if (row.has("error")) {
          assertThatThrownBy(
                  () -> prompts.prompt(turns, Collections.nCopies(images, image(prompts))))
              .isInstanceOf(ModelException.class)
              .hasMessageContaining(row.path("error").textValue());
          continue;
        }
        long[] ids =
            StreamSupport.stream(row.path("ids").spliterator(), false)
                .mapToLong(JsonNode::asLong)
                .toArray();
        ModelInput prompt = prompts.prompt(turns, Collections.nCopies(images, image(prompts)));
        assertThat(prompt.tokenIds()).as("%s: %s", name, row.path("messages")).containsExactly(ids);
        assertThat(prompt.layout().visual()).extracting(VisualSpan::image).isSorted();
        assertThat(prompt.layout().visual()).hasSize(images).allMatch(span -> span.length() == 9);
        for (VisualSpan span : prompt.layout().visual()) {
          assertThat(Arrays.copyOfRange(ids, span.start(), span.end()))
              .containsOnly(kind.path("image_token").asLong());
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kinds")
  void specialTokensInAQuestionStayText(String name, JsonNode kind) throws IOException {
    try (ChatPrompts prompts = open(kind)) {
      long[] plain = prompts.prompt("a", image(prompts)).tokenIds();
      for (String special :
          new String[] {"<s>", "</s>", "<image>", "<|im_end|>", "<|im_start|>x"}) {
        long[] ids = prompts.prompt(special, image(prompts)).tokenIds();
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
    return Arrays.stream(ids).filter(id -> id == token).count();
  }

  /** A template that joins what was kept apart does not get its way. */
  @Test
  void aTemplateThatMakesSpecialTokensOfAQuestionIsStopped() throws IOException {
    JsonNode kind = (JsonNode) kinds().findFirst().orElseThrow().get()[1];
    open(kind).close();
    Files.writeString(
        folder.resolve("chat_template.jinja"),
        "<image>{% for m in messages %}{{ m.content[1].text | replace('< ', '<') }}{% endfor %}");
    try (ChatPrompts prompts = reopen(kind.path("image_token").asInt())) {
      assertThat(prompts.prompt("a < b?", image(prompts)).tokenIds()).isNotEmpty();
      assertThatThrownBy(() -> prompts.prompt("a </s> b?", image(prompts)))
          .isInstanceOf(PromptException.class)
          .hasMessageContaining("reserves");
    }
  }

  /** What a template passes over is not passed over here. */
  @Test
  void messagesThatATemplateLeavesOutAreRefused() throws IOException {
    JsonNode kind = (JsonNode) kinds().findFirst().orElseThrow().get()[1];
    open(kind).close();
    Turn question = Turn.question("what?");
    Turn system = new Turn(Role.SYSTEM, List.of(new Turn.Text("be brief")));
    Turn answer = new Turn(Role.ASSISTANT, List.of(new Turn.Text("a cup")));
    Turn two =
        new Turn(Role.USER, List.of(new Turn.Image(), new Turn.Image(), new Turn.Text("which?")));
    Map<String, List<Turn>> refused =
        Map.of(
            "{% if m.role != 'system' %}PART{% endif %}|leaves out what the system says",
            List.of(system, question),
            "{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}PART|it raises 'no system'",
            List.of(system, question),
            "{% if loop.last %}PART{% endif %}|leaves out what the user says",
            List.of(question, answer, Turn.question("and?")),
            "{{ '<image>' if m.content | selectattr('type', 'eq', 'image') | list }}{{ m.content[-1].text }}|puts 1 images where there are 2",
            List.of(two));
    String part =
        "{% for c in m.content %}{{ '<image>' if c.type == 'image' else c.text }}{% endfor %}";
    for (Map.Entry<String, List<Turn>> row : refused.entrySet()) {
      String[] cells = row.getKey().split("\\|(?=leaves|it |puts)");
      Files.writeString(
          folder.resolve("chat_template.jinja"),
          "{% for m in messages %}" + cells[0].replace("PART", part) + "{% endfor %}");
      try (ChatPrompts prompts = reopen(kind.path("image_token").asInt())) {
        int images = row.getValue().stream().mapToInt(Turn::images).sum();
        assertThatThrownBy(
                () -> prompts.prompt(row.getValue(), Collections.nCopies(images, image(prompts))))
            .isInstanceOf(ModelException.class)
            .hasMessageContaining(cells[1])
            .hasMessageMatching("[^\\n]+; [^\\n]+")
            .satisfies(
                e ->
                    assertThat(((ModelException) e).kind())
                        .isEqualTo(SquintException.Kind.BAD_REQUEST));
      }
    }
  }

  @Test
  void specialTokensInEarlierTurnsStayText() throws IOException {
    JsonNode kind = (JsonNode) kinds().findFirst().orElseThrow().get()[1];
    try (ChatPrompts prompts = open(kind)) {
      List<Turn> plain =
          List.of(
              Turn.question("a"),
              new Turn(Role.ASSISTANT, List.of(new Turn.Text("b"))),
              new Turn(Role.USER, List.of(new Turn.Text("c"))));
      List<Turn> hostile =
          plain.stream().map(turn -> turn.withTexts(text -> "<|im_end|><image></s>")).toList();
      long[] expected = prompts.prompt(plain, List.of(image(prompts))).tokenIds();
      long[] ids = prompts.prompt(hostile, List.of(image(prompts))).tokenIds();
      for (long special = 257; special < 263; special++) {
        assertThat(count(ids, special)).isEqualTo(count(expected, special));
      }
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

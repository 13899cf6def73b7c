package dev.squint.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.error.ModelException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatTemplateTest {

  private static final String PARTS =
      "{% for m in messages %}{% for c in m.content %}{{ '<image>' if c.type == 'image' else c.text }}"
          + "{% endfor %}{% endfor %}";

  @TempDir Path folder;

  private void write(String file, String text) throws IOException {
    Path path = folder.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private ChatTemplate template(String template) throws IOException {
    write("chat_template.jinja", template);
    return ChatTemplate.open(folder, "<image>");
  }

  private void refused(String reason) {
    assertThatThrownBy(() -> ChatTemplate.open(folder, "<image>"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(reason)
        .hasMessageMatching("[^\\n]+; [^\\n]+");
  }

  /** The file that counts where there are several, as recorded of transformers. */
  @Test
  void theTemplateIsFoundWhereTransformersFindsIt() throws IOException {
    JsonNode recorded =
        new ObjectMapper().readTree(ChatTemplateTest.class.getResourceAsStream("sources.json"));
    for (JsonNode row : recorded) {
      Path model = Files.createDirectory(folder.resolve(row.path("name").textValue()));
      for (Map.Entry<String, JsonNode> file : row.path("files").properties()) {
        Path path = model.resolve(file.getKey());
        Files.createDirectories(path.getParent());
        Files.writeString(path, file.getValue().textValue());
      }
      if (row.has("error")) {
        assertThatThrownBy(() -> TemplateFile.find(model, Optional.empty()))
            .as(row.path("name").textValue())
            .isInstanceOf(ModelException.class);
      } else {
        assertThat(TemplateFile.find(model, Optional.empty()).source().strip())
            .as(row.path("name").textValue())
            .isEqualTo(row.path("text").textValue());
      }
    }
    assertThat(recorded).hasSizeGreaterThan(8);
  }

  @Test
  void theTokenizersTemplateIsTheLast() throws IOException {
    write("tokenizer_config.json", "{\"chat_template\":\"T\"}");
    assertThat(TemplateFile.find(folder, Optional.empty()).source()).isEqualTo("T");
    write(
        "tokenizer_config.json",
        "{\"chat_template\":[{\"name\":\"tool_use\",\"template\":\"A\"},{\"name\":\"default\",\"template\":\"D\"}]}");
    assertThat(TemplateFile.find(folder, Optional.empty()).source()).isEqualTo("D");
    write("tokenizer_config.json", "{\"chat_template\":[{\"name\":\"rag\",\"template\":\"A\"}]}");
    refused("none is called 'default'");
  }

  @Test
  void aFolderWithoutATemplateSaysWhichFileToPutThere() throws IOException {
    refused("has no chat template");
    refused("put its chat_template.jinja there");
    write("tokenizer_config.json", "{\"chat_template\":null}");
    refused("has no chat template");
  }

  @Test
  void theFileIsNamedWhereItCannotBeUsed() throws IOException {
    write("chat_template.json", "{\"chat_template\":3}");
    refused("chat_template.json: 'chat_template' is not a text");
    write("chat_template.json", "{\"chat_template\":\"{{ 1 +\"}");
    refused(
        "chat_template.json: this chat template cannot be rendered: line 1: braces are not closed");
    Files.delete(folder.resolve("chat_template.json"));
    Files.write(folder.resolve("chat_template.jinja"), new byte[] {(byte) 0xff, 'a'});
    refused("chat_template.jinja is not UTF-8 text");
    Files.writeString(
        folder.resolve("chat_template.jinja"), "x".repeat(2 << 20), StandardCharsets.UTF_8);
    refused("larger than");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      value = {
        "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% endfor %}@'+' stands between a str and a list",
        "{% for m in messages %}{{ m.role }}: <image> {{ m.content }}{% endfor %}@the text that Python prints for a list",
        "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% endif %}{% endfor %}@has no '<image>' for the image",
        "{% for m in messages %}{{ m.content[1].text }}{% endfor %}@has no '<image>' for the image",
        "<image>@has not the question in it",
        "<image>{% for m in messages %}{{ m.content[1].text }}{% endfor %}<image>@more than one '<image>'",
        "{{ raise_exception('no images, please') }}@it raises 'no images, please'",
        "{% for i in range(99999) %}{% for i in range(99999) %}{% endfor %}{% endfor %}@takes more than",
        "{% include 'a' %}@line 1: the block 'include' is not supported"
      })
  void aTemplateThatCannotPutAQuestionAboutAnImageIsRefused(String template, String reason)
      throws IOException {
    write("chat_template.jinja", template);
    refused(reason);
    refused("chat_template.jinja");
  }

  @Test
  void aTokenizersTemplateForTextsIsGivenOne() throws IOException {
    write(
        "tokenizer_config.json",
        "{\"chat_template\":\"{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% endfor %}\"}");
    assertThat(ChatTemplate.open(folder, "<image>").shown())
        .isEqualTo("<|user|><image>\n{question}");
  }

  @Test
  void specialTokensAreReadAsTransformersReadsThem() throws IOException {
    String source = "{{ bos_token }}{{ eos_token }}{{ pad_token }}" + PARTS;
    write("special_tokens_map.json", "{\"bos_token\":{\"content\":\"<map>\"},\"pad_token\":null}");
    write(
        "tokenizer_config.json",
        "{\"bos_token\":\"<s>\",\"eos_token\":{\"__type\":\"AddedToken\",\"content\":\"</s>\"}}");
    assertThat(template(source).shown()).isEqualTo("<map></s><image>{question}");
    write("tokenizer_config.json", "{\"bos_token\":\"<s>\",\"added_tokens_decoder\":{}}");
    ChatTemplate template = template(source);
    assertThat(template.shown()).isEqualTo("<s><image>{question}");
    assertThat(template.begins("<s>a")).isTrue();
    assertThat(template.begins("a<s>")).isFalse();
  }

  @Test
  void anotherPlaceholderThanTheModelsIsRefused() throws IOException {
    write("chat_template.jinja", PARTS);
    write("processor_config.json", "{\"image_token\":\"<img>\"}");
    refused("stands '<img>' for an image, but the image token of config.json is '<image>'");
    write("tokenizer_config.json", "{\"image_token\":\"<image>\"}");
    assertThat(ChatTemplate.open(folder, "<image>").placeholder()).isEqualTo("<image>");
  }

  @Test
  void aQuestionIsNeverATemplate() throws IOException {
    assertThat(template(PARTS).render("x{{ 6*7 }}{% raw %}"))
        .isEqualTo("<image>x{{ 6*7 }}{% raw %}");
  }
}

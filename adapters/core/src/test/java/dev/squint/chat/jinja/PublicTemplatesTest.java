package dev.squint.chat.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Templates of public models with what transformers renders of them, where these lie beside the
 * checkout: they are the models' own and not in this repository.
 */
class PublicTemplatesTest {

  private static final Path CASES = Path.of("../../../shared/chat-templates/cases.json");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TestFactory
  Stream<DynamicTest> everyCaseIsRenderedAsTransformersDoes() throws IOException {
    if (!Files.exists(CASES)) {
      return Stream.of();
    }
    JsonNode cases = JSON.readTree(CASES.toFile());
    return StreamSupport.stream(cases.spliterator(), false)
        .map(one -> DynamicTest.dynamicTest(one.path("name").asText(), () -> check(one)));
  }

  private static void check(JsonNode one) {
    Map<String, Object> data =
        JSON.convertValue(one.path("data"), new TypeReference<Map<String, Object>>() {});
    String template = one.path("template").asText();
    if (one.has("py")) {
      assertThat(render(template, data)).isEqualTo(one.path("py").asText());
    } else {
      assertThatThrownBy(() -> render(template, data)).isInstanceOf(JinjaException.class);
    }
  }

  private static String render(String template, Map<String, Object> data) {
    return JinjaTemplate.compile(template).render(data, 10_000);
  }
}

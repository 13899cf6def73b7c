package dev.squint.chat.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
  private static final Pattern TODAY =
      Pattern.compile("Today Date: (\\d+) ([A-Z][a-z]{2})[a-z]* (\\d{4})");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TestFactory
  Stream<DynamicTest> everyCaseIsRenderedAsTransformersDoes() throws IOException {
    if (!Files.exists(CASES)) {
      return Stream.of();
    }
    JsonNode cases = JSON.readTree(CASES.toFile());
    Clock clock = clock(cases);
    return StreamSupport.stream(cases.spliterator(), false)
        .map(one -> DynamicTest.dynamicTest(one.path("name").asText(), () -> check(one, clock)));
  }

  private static void check(JsonNode one, Clock clock) {
    Map<String, Object> data =
        JSON.convertValue(one.path("data"), new TypeReference<Map<String, Object>>() {});
    String template = one.path("template").asText();
    if (one.has("py")) {
      assertThat(render(template, data, clock)).isEqualTo(one.path("py").asText());
    } else {
      assertThatThrownBy(() -> render(template, data, clock)).isInstanceOf(JinjaException.class);
    }
  }

  private static String render(String template, Map<String, Object> data, Clock clock) {
    return JinjaTemplate.compile(template, clock).render(data, 10_000);
  }

  /** The day on which the cases were rendered, by those that print it. */
  private static Clock clock(JsonNode cases) {
    return StreamSupport.stream(cases.spliterator(), false)
        .map(one -> TODAY.matcher(one.path("py").asText()))
        .filter(Matcher::find)
        .map(found -> found.group(1) + " " + found.group(2) + " " + found.group(3))
        .map(day -> LocalDate.parse(day, DateTimeFormatter.ofPattern("d MMM yyyy", Locale.ENGLISH)))
        .map(day -> Clock.fixed(day.atTime(12, 0).toInstant(ZoneOffset.UTC), ZoneOffset.UTC))
        .findFirst()
        .orElseThrow();
  }
}

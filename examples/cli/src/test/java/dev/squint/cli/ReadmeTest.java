package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** README's program is the one that is compiled, and its counts are those of the reports. */
class ReadmeTest {

  private static final Path ROOT = Path.of("").toAbsolutePath().getParent().getParent();

  @ParameterizedTest
  @CsvSource({"library-example, ask/Ask.java", "chat-example, chat/Chat.java"})
  void examplesAreTheCompiledOnes(String mark, String file) throws IOException {
    String readme = Files.readString(ROOT.resolve("README.md"));
    int start = readme.indexOf("```java\n", readme.indexOf("<!-- %s -->".formatted(mark))) + 8;
    String shown = readme.substring(start, readme.indexOf("```", start));
    String source =
        Files.readString(ROOT.resolve("examples/samples/src/main/java/dev/squint/samples/" + file));
    int body = source.indexOf("    try (");
    String compiled =
        source.substring(body, source.lastIndexOf("  }\n")).stripTrailing().stripIndent();
    assertThat(shown.strip()).isEqualTo(compiled.strip());
  }

  /** Counts as the report has them: of a setting, or the least and most of the draws of one. */
  @Test
  void countsAreThoseOfTheReport() throws IOException {
    String readme = Files.readString(ROOT.resolve("README.md"));
    Map<String, Long> scenes = correct("scenes");
    assertThat(readme).contains("(unpruned %d/2000".formatted(scenes.get("none")));
    Matcher row =
        Pattern.compile("(?m)^\\| `(\\S+)`(, three seeds)?((?: \\| (?:\\d+ to )?\\d+){3}) \\|$")
            .matcher(readme);
    int rows = 0;
    for (; row.find(); rows++) {
      String[] counts = row.group(3).substring(3).split(" \\| ");
      String[] keeps = {"0.5", "0.25", "0.1"};
      for (int i = 0; i < keeps.length; i++) {
        String name = row.group(1);
        String setting = name + (name.contains(":") ? "," : ":") + "keep=" + keeps[i];
        long[] all =
            scenes.entrySet().stream()
                .filter(cell -> cell.getKey().replaceAll(" seed \\d", "").equals(setting))
                .mapToLong(Map.Entry::getValue)
                .sorted()
                .toArray();
        assertThat(all).as(setting).hasSize(row.group(2) == null ? 1 : 3);
        assertThat(counts[i])
            .as(setting)
            .isEqualTo(all.length == 1 ? "" + all[0] : all[0] + " to " + all[all.length - 1]);
      }
    }
    assertThat(rows).isEqualTo(12);
    Matcher said = Pattern.compile("`(\\S+:\\S*keep=\\S+)`\\s(?:gets )?(\\d{4})").matcher(readme);
    int sentences = 0;
    for (; said.find(); sentences++) {
      assertThat(Long.parseLong(said.group(2)))
          .as(said.group())
          .isEqualTo(scenes.get(said.group(1)));
    }
    assertThat(sentences).isEqualTo(3);
  }

  private static Map<String, Long> correct(String report) throws IOException {
    Map<String, Long> correct = new HashMap<>();
    JsonNode summary =
        new ObjectMapper()
            .readTree(ROOT.resolve("examples/report/" + report + "/summary.json").toFile());
    for (JsonNode cell : summary.path("cells")) {
      correct.put(
          cell.path("id").asText(),
          cell.path("scores").path("exact_match").path("correct").longValue());
    }
    return correct;
  }
}

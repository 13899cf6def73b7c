package dev.squint.family;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.Squint;
import dev.squint.engine.StrategySupport;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.error.SquintException;
import dev.squint.fixtures.Share;
import dev.squint.fixtures.TestCache;
import dev.squint.image.ImageInput;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.StrategyType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table of docs/families.md, and that what it says is what happens. */
class StrategiesByFamilyTest {

  private static final Path FIXTURES = Path.of("../../models/fixtures/data/families");
  private static final Path PAGE = Path.of("../../docs/families.md");
  private static final Path IMAGE = Path.of("../../examples/images/scene-01.png");
  private static final String BEGIN = "<!-- strategies: made by StrategiesByFamilyTest -->\n";
  private static final String END = "<!-- end of strategies -->\n";
  private static final int SHARES = 12;

  /** With default parameters, but where these ask for a layer that the small models do not have. */
  private static final List<String> SPECS =
      Strategies.available().stream()
          .map(StrategyType::name)
          .map(name -> name.equals("priortr") ? "priortr:k=2" : name)
          .toList();

  private static final Map<String, String> FAMILIES = new LinkedHashMap<>();

  static {
    FAMILIES.put("LLaVA-1.5", "");
    FAMILIES.put("Interleave", "interleave");
    FAMILIES.put("OneVision", "onevision");
    FAMILIES.put("NeXT", "llavanext");
    FAMILIES.put("FastVLM", "fastvlm");
    FAMILIES.put("Moondream2", "moondream");
    FAMILIES.put("SmolVLM", "smolvlm");
    FAMILIES.put("Qwen2-VL", "qwen2vl");
    FAMILIES.put("Qwen2.5-VL", "qwen25vl");
    FAMILIES.put("Qwen3-VL", "qwen3vl");
  }

  /**
   * What {@code inspect} says of each strategy, after a share of them has been asked for an answer.
   */
  @Test
  void theTableSaysWhatHappens() throws IOException {
    List<Map<String, Optional<String>>> said = new ArrayList<>();
    int family = 0;
    for (String folder : FAMILIES.values()) {
      ModelOptions options = ModelOptions.builder().cacheFolder(TestCache.FOLDER).build();
      try (Squint squint =
          folder.isEmpty()
              ? Squint.load(options)
              : Squint.load(FIXTURES.resolve(folder), options)) {
        Map<String, Optional<String>> support =
            StrategySupport.of(
                    squint.folder(), "", OptionalInt.of(squint.facts().visualTokens()), SPECS)
                .strategies();
        checkAnswers(squint, support, family++);
        said.add(support);
      }
    }
    String page = Files.readString(PAGE);
    int from = page.indexOf(BEGIN) + BEGIN.length();
    int to = page.indexOf(END);
    String table = table(said);
    if (Boolean.getBoolean("squint.update")) {
      Files.writeString(PAGE, page.substring(0, from) + table + page.substring(to));
    } else {
      assertThat(page.substring(from, to))
          .as("docs/families.md; -Dsquint.update=true writes it")
          .isEqualTo(table);
    }
  }

  private static void checkAnswers(
      Squint squint, Map<String, Optional<String>> support, int family) {
    GenerationOptions few = GenerationOptions.builder().maxNewTokens(2).build();
    int index = family;
    for (Map.Entry<String, Optional<String>> strategy : support.entrySet()) {
      if (Share.has(index++, SHARES)) {
        Optional<String> refused = Optional.empty();
        try {
          squint.ask(ImageInput.of(IMAGE), "what?", Strategies.parse(strategy.getKey()), few);
        } catch (SquintException e) {
          refused = Optional.of(e.getMessage());
        }
        assertThat(refused.isPresent())
            .as(
                "%s on %s: inspect says %s, asking %s",
                strategy.getKey(), squint.folder(), strategy.getValue(), refused)
            .isEqualTo(strategy.getValue().isPresent());
      }
    }
  }

  private static String table(List<Map<String, Optional<String>>> said) {
    List<String> reasons = new ArrayList<>();
    StringBuilder table =
        new StringBuilder("| strategy | ")
            .append(String.join(" | ", FAMILIES.keySet()))
            .append(" |\n|---|")
            .append("---|".repeat(FAMILIES.size()))
            .append('\n');
    for (String spec : SPECS) {
      String cells =
          said.stream()
              .map(support -> support.get(spec))
              .map(reason -> reason.map(text -> "no " + number(reasons, text)).orElse("yes"))
              .collect(Collectors.joining(" | "));
      table.append("| `%s` | %s |%n".formatted(spec, cells));
    }
    table.append('\n');
    for (int i = 0; i < reasons.size(); i++) {
      table.append("%d. %s%n".formatted(i + 1, reasons.get(i)));
    }
    return table.toString();
  }

  /** The number of a reason, without what differs from model to model. */
  private static int number(List<String> reasons, String text) {
    String reason =
        text.replaceFirst("^strategy '[^']*' cannot act on [^:]*: ", "")
            .replaceAll("vision tower of \\S+", "vision tower")
            .replaceAll("\\S*/([a-z_]+)\\.onnx", "$1")
            .replaceFirst("^decoder_model_merged: ", "")
            .replaceAll("\\d+", "N");
    if (!reasons.contains(reason)) {
      reasons.add(reason);
    }
    return reasons.indexOf(reason) + 1;
  }
}

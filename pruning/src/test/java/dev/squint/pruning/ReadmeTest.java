package dev.squint.pruning;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.ParsedParameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReadmeTest {

  @Test
  void tableNamesEveryStrategyWithItsDefaults() throws IOException {
    String readme = Files.readString(Path.of("README.md"));
    for (StrategyType<?> provider : Strategies.available()) {
      String spec = Strategies.parse(provider.name()).spec().replace(",at", "[,seed=N],at");
      assertThat(readme).contains("| `" + spec + "` |");
    }
  }

  @Test
  void exampleIsTheClassThatCompiles() throws IOException {
    String source = Files.readString(Path.of("src/test/java/dev/squint/pruning/FirstTokens.java"));
    String example = source.substring(source.indexOf("public record"));
    String readme = Files.readString(Path.of("README.md")).replaceAll("(?m)^   ", "");
    assertThat(readme).contains(example);
  }

  @Test
  void exampleWorksAsTheReadmeSays() {
    Strategy strategy = new FirstTokens.Type().create(new ParsedParameters("first", Map.of()));
    TokenLayout layout = new TokenLayout(5, List.of(new VisualSpan(0, 0, 4, 2, 2)));
    SitePlan plan = strategy.plan(null).get(0);
    SiteContext context = SiteContext.whole(plan.site(), layout, 0);
    assertThat(plan.decision().select(context, Observations.none()).keptVisual())
        .containsExactly(0, 1);
    assertThat(strategy.spec()).isEqualTo("first:keep=0.5");
  }
}

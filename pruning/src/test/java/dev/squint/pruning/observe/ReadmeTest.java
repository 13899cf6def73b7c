package dev.squint.pruning.observe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.example.StillTokens;
import org.junit.jupiter.api.Test;

/** The strategy that README shows is one that compiles and works. */
class ReadmeTest {

  @Test
  void theStrategyThatIsShownIsOneThatCompiles() throws IOException {
    String source = Files.readString(Path.of("src/test/java/org/example/StillTokens.java"));
    String shown = source.substring(source.indexOf("import"));
    assertThat(Files.readString(Path.of("README.md"))).contains("```java\n" + shown + "```");
  }

  @Test
  void itKeepsWhatMovesMost() {
    ModelShape model =
        new ModelShape(
            "any",
            new DecoderShape(4, 8, 2, 2, 4, 16, 100),
            VisionShape.builder()
                .layers(2)
                .hidden(8)
                .heads(2)
                .intermediate(16)
                .grid(2, 2)
                .patchDim(588)
                .cls(true)
                .projectorHidden(8)
                .build(),
            4);
    SitePlan site = new StillTokens(1, 2).plan(model).get(0);
    Expression need = site.needs().iterator().next();
    assertThat(need).hasToString("moves in decoder layer 1");
    TokenLayout layout = new TokenLayout(9, List.of(new VisualSpan(0, 3, 4, 2, 2)));
    Observation moved = new Observation(1, 4, new float[] {1, 4, 2, 3});
    assertThat(
            site.decision()
                .select(
                    SiteContext.whole(site.site(), layout, 0), Observations.of(Map.of(need, moved)))
                .keptVisual())
        .containsExactly(1, 3);
  }
}

package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.fixtures.Share;
import dev.squint.fixtures.TestCache;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.trace.SiteTrace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every strategy on the embedded model against PyTorch, with tokens leaving and being mixed there
 * too ({@code models/fixtures/make_pruned.py}): tokens kept and added at each site, and the logits
 * of the last prompt position.
 */
class PrunedParityTest {

  private static final float TOLERANCE = 1e-3f;

  private static VisionLanguageModel model;

  @BeforeAll
  static void open() {
    model =
        VisionLanguageModel.openEmbedded(
            ModelOptions.builder().threads(1).cacheFolder(TestCache.FOLDER).build());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  static Stream<Arguments> cases() throws IOException {
    JsonNode images = EmbeddedParityTest.json("parity.json");
    JsonNode cases = EmbeddedParityTest.json("pruned.json").path("cases");
    List<String> specs = new ArrayList<>();
    cases.forEach(one -> specs.add(one.path("spec").asText()));
    return IntStream.range(0, cases.size())
        .mapToObj(cases::get)
        .filter(
            one ->
                Share.has(one.path("case").asInt() + specs.indexOf(one.path("spec").asText()), 4))
        .map(
            one -> {
              JsonNode image = images.path("cases").get(one.path("case").asInt());
              return Arguments.of(
                  one.path("spec").asText(),
                  image.path("image").asText(),
                  EmbeddedParityTest.prompt(images, image),
                  one);
            });
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("cases")
  void keepsTheSameTokensAndGivesTheSameLogits(
      String spec, String image, ModelInput prompt, JsonNode expected) {
    Generation made =
        model.generate(
            prompt,
            Strategies.parse(spec),
            GenerationOptions.builder().maxNewTokens(1).keepFirstLogits(true).build());
    JsonNode sites = expected.path("sites");
    List<SiteTrace> traced = made.trace().sites();
    assertThat(traced).hasSize(sites.size());
    for (int i = 0; i < traced.size(); i++) {
      String where = sites.get(i).path("site").asText();
      assertThat(traced.get(i).site()).hasToString(where);
      assertThat(traced.get(i).keptOriginal())
          .as(where)
          .containsExactly(TinyLlava.ints(sites.get(i).path("kept")));
      requireAdded(where, traced.get(i).addedOriginal(), sites.get(i).path("added"));
    }
    assertThat(made.firstLogits())
        .containsExactly(EmbeddedParityTest.logits(expected), offset(TOLERANCE));
  }

  /** What PriorTR stands on: the first token after the image is the same whatever is asked. */
  @Test
  void thePriorDoesNotSeeTheQuestion() throws IOException {
    JsonNode images = EmbeddedParityTest.json("parity.json");
    Expression first = Observe.textToVisualAttention(2, Rows.FIRST_AFTER_VISUAL);
    Expression last = Observe.textToVisualAttention(2, Rows.LAST);
    List<Observations> seen = new ArrayList<>();
    for (int question = 0; question < 2; question++) {
      ObjectNode asked = images.path("cases").get(0).deepCopy();
      asked.set("ids", images.path("cases").get(question).path("ids"));
      Strategy look =
          new TestStrategy(
              "look",
              List.of(
                  new SitePlan(
                      new Site.BeforeLayer(3),
                      Set.of(first, last),
                      PositionPolicy.ORIGINAL,
                      (context, observations) -> {
                        seen.add(observations);
                        return Selection.all(context.visualTokens());
                      })));
      ModelInput prompt = EmbeddedParityTest.prompt(images, asked);
      model.generate(
          prompt, look, GenerationOptions.builder().maxNewTokens(1).keepFirstLogits(true).build());
    }
    float[] prior = seen.get(0).get(first).row(0);
    assertThat(seen.get(1).get(first).row(0)).containsExactly(prior, offset(1e-6f));
    float[] task = seen.get(0).get(last).row(0);
    float[] other = seen.get(1).get(last).row(0);
    double apart =
        IntStream.range(0, task.length).mapToDouble(i -> Math.abs(task[i] - other[i])).sum();
    assertThat(apart).isGreaterThan(0.01);
  }

  /** An origin below 0 is one that the paper leaves open. */
  private static void requireAdded(String where, int[] added, JsonNode expected) {
    assertThat(added).as(where).hasSize(expected.size());
    for (int i = 0; i < added.length; i++) {
      int origin = expected.get(i).asInt();
      if (origin >= 0) {
        assertThat(added[i]).as(where).isEqualTo(origin);
      }
    }
  }
}

package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Everything that a strategy can ask for arrives at its site, for the tokens alive there. */
@Tag("runtime")
class ObservationsTest {

  private static final int HEADS = 4;
  private static final int HIDDEN = 32;
  private static final int KEY_COLUMNS = 16;
  private static final int ALIVE = 3;
  private static final int TEXT = 7;

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  private static Observations observe(Expression... needs) {
    return observe(TestStrategy.fixed(1, PositionPolicy.ORIGINAL, 2, 5, 11).sites(), needs);
  }

  private static Observations observe(List<SitePlan> earlier, Expression... needs) {
    List<Observations> seen = new ArrayList<>();
    List<SitePlan> sites = new ArrayList<>(earlier);
    sites.add(
        new SitePlan(
            new Site.BeforeLayer(3),
            Set.of(needs),
            PositionPolicy.ORIGINAL,
            (context, observations) -> {
              seen.add(observations);
              return Selection.all(context.visualTokens());
            }));
    TINY.model()
        .generate(
            TinyLlava.prompt(),
            new TestStrategy("watching", sites),
            GenerationOptions.builder().maxNewTokens(1).build());
    return seen.get(0);
  }

  @Test
  void rowsAndHeadsOfTheSameMapAgree() {
    var last = Observe.textToVisualAttention(2, Rows.LAST);
    var text = Observe.textToVisualAttention(2, Rows.TEXT);
    var after = Observe.textToVisualAttention(2, Rows.TEXT_AFTER_VISUAL);
    var heads = Observe.textToVisualAttention(2, Rows.TEXT, Heads.EACH);
    Observations seen = observe(last, text, after, heads);
    Observation all = seen.get(text);
    assertThat(all.rows()).isEqualTo(TEXT);
    assertThat(all.columns()).isEqualTo(ALIVE);
    assertThat(seen.get(last).row(0)).containsExactly(all.row(TEXT - 1));
    Observation tail = seen.get(after);
    assertThat(tail.rows()).isBetween(1, TEXT - 1);
    for (int row = 0; row < tail.rows(); row++) {
      assertThat(tail.row(row)).containsExactly(all.row(TEXT - tail.rows() + row));
    }
    Observation each = seen.get(heads);
    assertThat(each.rows()).isEqualTo(HEADS * TEXT);
    for (int row = 0; row < TEXT; row++) {
      float[] mean = new float[ALIVE];
      for (int head = 0; head < HEADS; head++) {
        for (int column = 0; column < ALIVE; column++) {
          mean[column] += each.row(head * TEXT + row)[column] / HEADS;
        }
      }
      assertThat(mean).containsExactly(all.row(row), offset(1e-6f));
    }
    for (int row = 0; row < TEXT - tail.rows(); row++) {
      assertThat(all.row(row)).containsOnly(0);
    }
  }

  @Test
  void statesAndKeysHaveARowForEachTokenAlive() {
    var states = Observe.hiddenStates(3);
    var inner = Observe.hiddenStates(2);
    var keys = Observe.keys(2);
    Observations seen = observe(states, inner, keys);
    assertThat(seen.get(states).rows()).isEqualTo(ALIVE);
    assertThat(seen.get(states).columns()).isEqualTo(HIDDEN);
    assertThat(seen.get(inner)).isNotEqualTo(seen.get(states));
    assertThat(seen.get(keys).rows()).isEqualTo(ALIVE);
    assertThat(seen.get(keys).columns()).isEqualTo(KEY_COLUMNS);
    assertThat(seen.get(keys).values()).doesNotContain(Float.NaN);
  }

  /** Layer 0 ran before any token left, so what it gave is the same for those that stayed. */
  @Test
  void statesAndKeysAreThoseOfTheTokensAlive() {
    var states = Observe.hiddenStates(1);
    var keys = Observe.keys(1);
    Observations some = observe(states, keys);
    Observations all = observe(List.of(), states, keys);
    for (Expression need : List.of(states, keys)) {
      assertThat(all.get(need).rows()).isEqualTo(TinyLlava.VISUAL);
      assertThat(some.get(need).rows()).isEqualTo(ALIVE);
      assertThat(some.get(need).row(0)).containsExactly(all.get(need).row(2), offset(1e-6f));
      assertThat(some.get(need).row(1)).containsExactly(all.get(need).row(5), offset(1e-6f));
      assertThat(some.get(need).row(2)).containsExactly(all.get(need).row(11), offset(1e-6f));
      assertThat(some.get(need).row(0)).isNotEqualTo(some.get(need).row(1));
    }
  }

  @Test
  void attentionReceivedIsOverAllQueries() {
    var received = Observe.attentionReceived(1);
    Observation row = observe(received).get(received);
    assertThat(row.rows()).isEqualTo(1);
    assertThat(row.columns()).isEqualTo(ALIVE);
    for (float share : row.values()) {
      assertThat(share).isBetween(0f, 1f);
    }
  }

  @Test
  void expressionsOverSeveralLayersAndFoldedRows() {
    var now = Observe.hiddenStates(3);
    var before = Observe.hiddenStates(2);
    var moved =
        Place.decoder(3)
            .hidden(Rows.VISUAL)
            .minus(Place.decoder(2).hidden(Rows.VISUAL))
            .norm(Axis.Kind.HIDDEN);
    var text = Observe.textToVisualAttention(2, Rows.TEXT_AFTER_VISUAL);
    var prior = meanAttention(Rows.FIRST_AFTER_VISUAL);
    var question = meanAttention(Rows.TEXT_AFTER_VISUAL);
    Observations seen = observe(now, before, moved, text, prior, question);
    assertThat(seen.get(moved).rows()).isEqualTo(1);
    for (int token = 0; token < ALIVE; token++) {
      double squares = 0;
      for (int d = 0; d < HIDDEN; d++) {
        squares += Math.pow(seen.get(now).at(token, d) - seen.get(before).at(token, d), 2);
      }
      assertThat(seen.get(moved).at(0, token)).isEqualTo((float) Math.sqrt(squares), offset(1e-5f));
      float mean = 0;
      for (int row = 0; row < seen.get(text).rows(); row++) {
        mean += seen.get(text).at(row, token) / seen.get(text).rows();
      }
      assertThat(seen.get(question).at(0, token)).isEqualTo(mean, offset(1e-6f));
    }
    assertThat(seen.get(prior).row(0)).containsExactly(seen.get(text).row(0), offset(1e-6f));
  }

  private static Expression meanAttention(Rows rows) {
    return Place.decoder(2)
        .probabilities(rows)
        .choose(Rows.VISUAL)
        .mean(Axis.Kind.HEADS, Axis.Kind.QUERIES);
  }

  /** What is folded over the text after an image that ends the prompt. */
  @Test
  void foldingNoTokenGivesZeros() {
    ModelInput whole = TinyLlava.prompt();
    int end = TinyLlava.FIRST_VISUAL + TinyLlava.VISUAL;
    ModelInput prompt =
        new ModelInput(
            Arrays.copyOf(whole.tokenIds(), end),
            new TokenLayout(end, whole.layout().visual()),
            whole.images());
    Expression folded = meanAttention(Rows.TEXT_AFTER_VISUAL);
    Expression rows = Observe.keys(1, Rows.TEXT_AFTER_VISUAL);
    Expression compared = Observe.embeddingSimilarity(Measure.COSINE);
    List<Observations> seen = new ArrayList<>();
    SitePlan site =
        new SitePlan(
            new Site.BeforeLayer(3),
            Set.of(folded, rows, compared),
            PositionPolicy.ORIGINAL,
            (context, observations) -> {
              seen.add(observations);
              return Selection.all(context.visualTokens());
            });
    TINY.model()
        .generate(prompt, new TestStrategy("watching", List.of(site)), TinyLlava.sixTokens());
    assertThat(seen.get(0).get(folded).values()).hasSize(TinyLlava.VISUAL).containsOnly(0);
    assertThat(seen.get(0).get(rows).rows()).isZero();
    assertThat(seen.get(0).get(rows).columns()).isEqualTo(KEY_COLUMNS);
    assertThat(seen.get(0).get(compared).rows()).isZero();
    assertThat(seen.get(0).get(compared).columns()).isEqualTo(TinyLlava.VISUAL);
  }

  /** Text to tokens and token to token, as MMTok weighs them. */
  @Test
  void softmaxOverVisualTokens() {
    Expression cosines = Observe.embeddingSimilarity(Measure.COSINE);
    Expression features = Observe.featureSimilarity(Stage.BEFORE_PROJECTOR);
    Expression text = cosines.over(0.02).softmax();
    Expression tokens = features.over(0.2).softmax();
    List<Observations> seen = new ArrayList<>();
    SitePlan site =
        new SitePlan(
            new Site.AfterVision(),
            Set.of(cosines, features, text, tokens),
            PositionPolicy.COMPACTED,
            (context, observations) -> {
              seen.add(observations);
              return Selection.of(new int[] {1, 2, 8});
            });
    TINY.model()
        .generate(
            TinyLlava.prompt(), new TestStrategy("watching", List.of(site)), TinyLlava.sixTokens());
    requireSoftmax(seen.get(0).get(cosines), 0.02, seen.get(0).get(text));
    requireSoftmax(seen.get(0).get(features), 0.2, seen.get(0).get(tokens));
  }

  private static void requireSoftmax(Observation of, double temperature, Observation actual) {
    assertThat(actual.rows()).isEqualTo(of.rows()).isPositive();
    for (int row = 0; row < of.rows(); row++) {
      double sum = 0;
      for (float value : of.row(row)) {
        sum += Math.exp(value / temperature);
      }
      for (int column = 0; column < of.columns(); column++) {
        assertThat((double) actual.at(row, column))
            .isCloseTo(Math.exp(of.at(row, column) / temperature) / sum, offset(1e-5));
      }
    }
  }
}

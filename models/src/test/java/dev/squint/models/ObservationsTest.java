package dev.squint.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.squint.pruning.Observation;
import dev.squint.pruning.Observations;
import dev.squint.pruning.PositionPolicy;
import dev.squint.pruning.Selection;
import dev.squint.pruning.Site;
import dev.squint.pruning.SitePlan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Everything that a strategy can ask for arrives at its site, for the tokens alive there. */
class ObservationsTest {

  private static final int HEADS = 4;
  private static final int HIDDEN = 32;
  private static final int KEY_COLUMNS = 16;
  private static final int ALIVE = 3;
  private static final int TEXT = 7;

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  private static Observations observe(Expression... needs) {
    List<Observations> seen = new ArrayList<>();
    SitePlan first = TestStrategy.fixed(1, PositionPolicy.ORIGINAL, 2, 5, 11).sites().get(0);
    SitePlan second =
        new SitePlan(
            new Site.BeforeLayer(3),
            Set.of(needs),
            PositionPolicy.ORIGINAL,
            (context, observations) -> {
              seen.add(observations);
              return Selection.all(context.visualTokens());
            });
    TINY.model()
        .generate(
            TinyLlava.prompt(),
            new TestStrategy("watching", List.of(first, second)),
            new GenerationOptions(1, 0, false, false));
    return seen.get(0);
  }

  @Test
  void rowsAndHeadsOfTheSameMapAgree() {
    var last = Observe.textToVisualAttention(2, Rows.LAST);
    var text = Observe.textToVisualAttention(2, Rows.TEXT);
    var behind = Observe.textToVisualAttention(2, Rows.TEXT_AFTER_VISUAL);
    var heads = Observe.textToVisualAttention(2, Rows.TEXT, Heads.EACH);
    Observations seen = observe(last, text, behind, heads);
    Observation all = seen.get(text);
    assertThat(all.rows()).isEqualTo(TEXT);
    assertThat(all.columns()).isEqualTo(ALIVE);
    assertThat(seen.get(last).row(0)).containsExactly(all.row(TEXT - 1));
    Observation tail = seen.get(behind);
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
  void statesAndKeysSpeakOfTheTokensAlive() {
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
}

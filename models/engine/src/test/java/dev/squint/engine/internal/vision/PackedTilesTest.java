package dev.squint.engine.internal.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.engine.request.FeaturePacking;
import dev.squint.error.ModelException;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is observed of tiles, said of the visual tokens that are put together of them; by hand. */
class PackedTilesTest {

  /** Two tiles of three patches; row 6 is the newline after them. */
  private static final int NEWLINE = 6;

  private static SiteContext context(int... lengths) {
    VisualSpan[] spans = new VisualSpan[lengths.length];
    int start = 0;
    for (int part = 0; part < lengths.length; part++) {
      spans[part] = new VisualSpan(0, part, start, lengths[part], 0, 0);
      start += lengths[part];
    }
    return SiteContext.whole(new Site.AfterVision(), new TokenLayout(start + 1, List.of(spans)), 0);
  }

  @Test
  void aTokenHasTheWeightedSumOfItsRowsAndANewlineNothing() {
    Expression attention = Observe.attentionReceived(0);
    TowerValues tiles = TowerValues.of(new int[] {2, 3}, new float[] {1, 2, 3, 10, 20, 30});
    FeaturePacking packing =
        new FeaturePacking(
            4,
            new int[] {2, 3, 5, NEWLINE, 2, 4, 0, NEWLINE},
            new float[] {1, 0.25f, 0.5f, 1, 0, 0.75f, 0.5f, 0},
            new float[1]);
    Observation seen = tiles.packed(attention, packing).of(attention, context(1, 3));
    assertThat(seen.row(0)).containsExactly(3, 0.25f * 10 + 0.75f * 20, 0.5f * 30 + 0.5f * 1, 0);
  }

  @Test
  void headsStayApart() {
    Expression attention =
        Place.vision(0).probabilities(Rows.ALL).mean(Axis.Kind.QUERIES).choose(Rows.VISUAL);
    TowerValues tiles = TowerValues.of(new int[] {2, 2, 1}, new float[] {1, 2, 10, 20});
    FeaturePacking packing = new FeaturePacking(2, new int[] {1, 0}, new float[0], new float[1]);
    Observation seen = tiles.packed(attention, packing).of(attention, context(2));
    assertThat(seen.row(0)).containsExactly(10, 1);
    assertThat(seen.row(1)).containsExactly(20, 2);
  }

  /** Pairs of tokens of one part of the prompt, though the tower has compared all. */
  @Test
  void pairsAreThoseWithinAPart() {
    Expression keys = Observe.keySimilarity(0, Heads.AVERAGED);
    TowerValues all = TowerValues.of(new int[] {1, 3, 3}, new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9});
    Observation seen = all.of(keys, context(1, 2));
    assertThat(seen.at(0, 0)).isEqualTo(1);
    assertThat(seen.at(1, 0)).isEqualTo(5);
    assertThat(seen.at(1, 1)).isEqualTo(6);
    assertThat(seen.at(2, 0)).isEqualTo(8);
    assertThat(seen.at(2, 1)).isEqualTo(9);
  }

  @Test
  void comparisonsAreTakenApartAndOthersRefused() {
    assertThat(RowPairs.comparison(Observe.keySimilarity(2, Heads.EACH)).cosine()).isTrue();
    Expression features = Place.features(Stage.BEFORE_PROJECTOR);
    assertThat(RowPairs.comparison(features.dot(features)))
        .isEqualTo(new RowPairs.Comparison(features, false));
    assertThatThrownBy(() -> RowPairs.comparison(features.cosine(features).abs()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("put together of several tiles");
  }
}

package dev.squint.pruning.strategies.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.strategies.math.Models;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SparseVlmTest {

  private static final Expression DOTS = Observe.embeddingSimilarity(Measure.DOT);
  private static final Expression TEXT = Observe.textToVisualAttention(2, Rows.TEXT_AFTER_VISUAL);
  private static final Expression LAST = Observe.textToVisualAttention(2, Rows.LAST);
  private static final Expression STATES = Observe.hiddenStates(3);

  @Test
  void sitesAndWhatTheySee() {
    List<SitePlan> plan = Strategies.parse("sparsevlm").plan(Models.llava(true));
    assertThat(plan)
        .extracting(SitePlan::site)
        .containsExactly(
            new Site.BeforeLayer(3), new Site.BeforeLayer(7), new Site.BeforeLayer(16));
    assertThat(plan.get(0).needs()).containsExactlyInAnyOrder(DOTS, TEXT, LAST, STATES);
    assertThat(plan.get(0).merges()).isTrue();
    assertThat(plan.get(0).positions()).isEqualTo(PositionPolicy.COMPACTED);
    SitePlan dropping = Strategies.parse("sparsevlm:recycle=off").plan(Models.llava(true)).get(0);
    assertThat(dropping.needs()).doesNotContain(STATES);
    assertThat(dropping.merges()).isFalse();
  }

  /**
   * The first release prunes after layers 2, 6, 15 and 19 of 32, all others after the first three.
   */
  @ParameterizedTest
  @CsvSource({
    "count=scaled, 32, 3 7 16 20",
    "'rule=code,count=scaled', 32, 3 7 16 20",
    "'rule=code,count=scaled,scale=0.8', 40, 4 9 20 25",
    "count=scaled, 8, 1 2 4 5",
    "count=scaled, 2, 1",
    "'count=scaled,layers=3/7/16', 32, 3 7 16",
    "'rule=code,count=table', 32, 3 7 16",
    "count=rank, 40, 4 9 20",
  })
  void sitesOfTheReleases(String parameters, int layers, String expected) {
    DecoderShape shape = new DecoderShape(layers, 4096, 32, 32, 128, 11008, 32000);
    ModelShape facts = new ModelShape("a llava", shape, Models.llava(true).vision(), 576);
    assertThat(Strategies.parse("sparsevlm:" + parameters).plan(facts))
        .extracting(site -> ((Site.BeforeLayer) site.site()).layer())
        .containsExactly(
            Arrays.stream(expected.split(" ")).map(Integer::valueOf).toArray(Integer[]::new));
  }

  /** Softmax over three texts of one visual token: e^2, e^1, e^0 over their sum; mean 1/3. */
  @Test
  void ratersAreOfAtLeastMeanRelevance() {
    assertThat(TextRaters.of(new Observation(3, 1, new float[] {2, 1, 0}), false))
        .containsExactly(0);
    assertThat(TextRaters.of(new Observation(2, 2, new float[] {1, 0, 0, 1}), false))
        .containsExactly(0, 1);
    assertThat(TextRaters.of(new Observation(2, 2, new float[] {1, 0, 0, 1}), true))
        .containsExactly(1);
    assertThat(TextRaters.of(new Observation(2, 1, new float[] {Float.NaN, 0}), false))
        .containsExactly(1);
  }

  /** Six visual tokens, two texts of which the first rates; hidden states on a line. */
  private static Selection select(String spec, float[] states) {
    SitePlan site = Strategies.parse(spec).plan(Models.llava(true)).get(0);
    TokenLayout layout = new TokenLayout(10, List.of(new VisualSpan(0, 2, 6, 2, 3)));
    Map<Expression, Observation> seen = new HashMap<>();
    seen.put(DOTS, new Observation(2, 6, new float[] {1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0}));
    seen.put(
        TEXT,
        new Observation(2, 6, new float[] {0.1f, 0.5f, 0.2f, 0.3f, 0, 0.4f, 1, 0, 0, 0, 1, 0}));
    seen.put(LAST, new Observation(1, 6, new float[] {1, 0, 0, 0, 1, 0}));
    seen.put(STATES, new Observation(6, 1, states));
    return site.decision().select(SiteContext.whole(site.site(), layout, 0), Observations.of(seen));
  }

  /** One rater, so rank 1: of 6 tokens rint(0.5 * 5) = 2 leave, half to even. */
  @Test
  void rankSaysHowManyLeave() {
    Selection selection = select("sparsevlm:layers=3,recycle=off", new float[6]);
    assertThat(selection.keptVisual()).containsExactly(1, 2, 3, 5);
    assertThat(selection.scores()).containsExactly(0.1f, 0.5f, 0.2f, 0.3f, 0, 0.4f);
    assertThat(select("sparsevlm:layers=3,recycle=off,lambda=0", new float[6]).size()).isEqualTo(6);
    assertThat(select("sparsevlm:layers=3,recycle=off,lambda=1", new float[6]).keptVisual())
        .containsExactly(1);
  }

  @Test
  void firstReleaseScalesTheRank() {
    assertThat(
            select("sparsevlm:layers=3,recycle=off,count=scaled,scale=2.5,bias=1", new float[6])
                .keptVisual())
        .containsExactly(1, 3, 5);
    assertThat(select("sparsevlm:layers=3,recycle=off,count=scaled,scale=99", new float[6]).size())
        .isEqualTo(5);
  }

  /**
   * Of the five that leave (by score 5, 3, 2, 0, 4) floor(0.6 * 5) + 1 = 4 are recycled into
   * floor(0.3 * 4) + 1 = 2 clusters: at 0 and 1, and at 20 and 21.
   */
  @Test
  void droppedTokensAreRecycled() {
    float[] states = {20, 9, 0, 21, 50, 1};
    String spec = "sparsevlm:layers=3,rule=code,lambda=1,tau=0.6,theta=0.3";
    Selection means = select(spec, states);
    assertThat(means.keptVisual()).containsExactly(1);
    assertThat(means.merged())
        .allSatisfy(token -> assertThat(token.weights()).containsOnly(0.5f))
        .extracting(token -> IntStream.of(token.sources()).sorted().boxed().toList())
        .containsExactlyInAnyOrder(List.of(2, 5), List.of(0, 3));
    assertThat(means.added()).hasSize(2);
    assertThat(means.merged()).extracting(MergedToken::origin).contains(5);
  }

  /** In one dimension all point the same way, but for 0: cosine 0 with everything. */
  @Test
  void paperJoinsByCosineAndSums() {
    Selection sums =
        select(
            "sparsevlm:layers=3,lambda=1,tau=0.6,theta=0.3", new float[] {20, 9, -2, 21, 50, -1});
    assertThat(sums.merged()).allSatisfy(token -> assertThat(token.weights()).containsOnly(1f));
    assertThat(sums.merged())
        .extracting(token -> IntStream.of(token.sources()).sorted().boxed().toList())
        .containsExactlyInAnyOrder(List.of(2, 5), List.of(0, 3));
  }

  @ParameterizedTest
  @CsvSource({
    "192, 576, 300, 9",
    "128, 576, 303, 9",
    "64, 576, 66, 16",
    "192, 2880, 1500, 42",
    "192, 144, 75, 3"
  })
  void publishedCounts(String table, int tokens, int kept, int recycled) {
    SitePlan site =
        Strategies.parse("sparsevlm:rule=code,count=table,table=" + table)
            .plan(Models.llava(true))
            .get(0);
    TokenLayout layout = new TokenLayout(tokens + 9, List.of(new VisualSpan(0, 5, tokens, 0, 0)));
    SiteContext context = SiteContext.whole(site.site(), layout, 0);
    float[] attention = new float[4 * tokens];
    float[] states = new float[2 * tokens];
    for (int i = 0; i < attention.length; i++) {
      attention[i] = (i * 31 % 97) / 97f;
    }
    for (int i = 0; i < states.length; i++) {
      states[i] = (i * 17 % 101) / 101f;
    }
    Map<Expression, Observation> seen =
        Map.of(
            DOTS, new Observation(4, tokens, attention),
            TEXT, new Observation(4, tokens, attention),
            LAST, new Observation(1, tokens, new float[tokens]),
            STATES, new Observation(tokens, 2, states));
    Selection selection = site.decision().select(context, Observations.of(seen));
    assertThat(selection.keptVisual()).hasSize(kept);
    assertThat(selection.added()).hasSize(recycled);
  }

  @Test
  void withoutTextAfterTheImageTheLastTokenRates() {
    SitePlan site = Strategies.parse("sparsevlm:recycle=off").plan(Models.llava(true)).get(0);
    TokenLayout layout = new TokenLayout(8, List.of(new VisualSpan(0, 2, 6, 2, 3)));
    Map<Expression, Observation> seen =
        Map.of(
            DOTS, new Observation(0, 6, new float[0]),
            TEXT, new Observation(0, 6, new float[0]),
            LAST, new Observation(1, 6, new float[] {0, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f}));
    assertThat(
            site.decision()
                .select(SiteContext.whole(site.site(), layout, 0), Observations.of(seen))
                .keptVisual())
        .containsExactly(2, 3, 4, 5);
  }

  /** Attention that underflows to zero has rank 0. */
  @Test
  void oneTokenStaysThoughNoneIsAttended() {
    SitePlan site =
        Strategies.parse("sparsevlm:recycle=off,lambda=1").plan(Models.llava(true)).get(0);
    TokenLayout layout = new TokenLayout(9, List.of(new VisualSpan(0, 2, 6, 2, 3)));
    Observation nothing = new Observation(1, 6, new float[6]);
    Map<Expression, Observation> seen = Map.of(DOTS, nothing, TEXT, nothing, LAST, nothing);
    assertThat(
            site.decision()
                .select(SiteContext.whole(site.site(), layout, 0), Observations.of(seen))
                .keptVisual())
        .containsExactly(0);
  }

  @Test
  void wordsThatAreNotKnown() {
    assertThatThrownBy(() -> Strategies.parse("sparsevlm:count=tabel"))
        .hasMessage(
            "strategy 'sparsevlm': count=tabel is not known; did you mean 'table'? Or choose one of rank, scaled, table");
  }
}

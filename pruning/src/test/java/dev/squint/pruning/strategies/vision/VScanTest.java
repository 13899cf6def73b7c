package dev.squint.pruning.strategies.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.observe.Stage;
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
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VScanTest {

  private static final Expression LOCAL = Observe.clsAttention(5);
  private static final Expression GLOBAL = Observe.clsAttention(22);

  private static Selection scan(String given, float[] local, float[] global, TokenLayout layout) {
    SitePlan plan =
        Models.onlySite(
            Strategies.parse("vscan:" + given + (given.isEmpty() ? "" : ",") + "stage=1"));
    Map<Expression, Observation> seen = new HashMap<>();
    seen.put(LOCAL, new Observation(1, local.length, local));
    seen.put(GLOBAL, new Observation(1, global.length, global));
    int n = layout.visual().get(0).length();
    for (Stage stage : Stage.values()) {
      seen.put(Observe.featureSimilarity(stage), line(local.length, n));
    }
    SiteContext context = SiteContext.whole(plan.site(), layout, 0);
    return plan.decision().select(context, Observations.of(seen));
  }

  private static TokenLayout grid(int rows, int columns) {
    int n = rows * columns;
    return new TokenLayout(n + 2, List.of(new VisualSpan(0, 1, n, rows, columns)));
  }

  /** The nearer in row-major order the more similar. */
  private static Observation line(int rows, int n) {
    float[] similarity = new float[rows * n];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < n; j++) {
        similarity[i * n + j] = -Math.abs(i % n - j);
      }
    }
    return new Observation(rows, n, similarity);
  }

  private static float[] drawn(int n, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextDouble();
    }
    return values;
  }

  @Test
  void observesAnEarlyAndTheLastLayerAndTheLayerBeforeTheSplit() {
    List<SitePlan> plan = new VScan().plan(Models.llava(true));
    assertThat(plan)
        .extracting(SitePlan::site)
        .containsExactly(new Site.BeforeProjector(), new Site.BeforeLayer(16));
    assertThat(plan.get(0).needs())
        .containsExactlyInAnyOrder(
            LOCAL, GLOBAL, Observe.featureSimilarity(Stage.BEFORE_PROJECTOR));
    assertThat(plan.get(0).merges()).isTrue();
    assertThat(plan.get(1).needs()).containsExactly(Observe.textToVisualAttention(16, Rows.LAST));
    assertThat(plan).extracting(SitePlan::positions).containsOnly(PositionPolicy.COMPACTED);

    SitePlan after = Models.onlySite(Strategies.parse("vscan:stage=1,merge=after"));
    assertThat(after.site()).isEqualTo(new Site.AfterVision());
    assertThat(after.needs()).contains(Observe.featureSimilarity(Stage.PROJECTED));
    SitePlan off = Models.onlySite(Strategies.parse("vscan:stage=1,merge=off,local=2"));
    assertThat(off.site()).isEqualTo(new Site.AfterVision());
    assertThat(off.needs()).containsExactlyInAnyOrder(Observe.clsAttention(2), GLOBAL);
    assertThat(off.merges()).isFalse();
    assertThat(new VScan().plan(Models.llava(false)).get(0).needs())
        .contains(Observe.attentionReceived(5), Observe.attentionReceived(22));
  }

  @ParameterizedTest
  @CsvSource({
    "96, paper, 96", "188, paper, 188", "24, paper, 24",
    "96, code, 96", "188, code, 174", "24, code, 12",
    "576, code, 576", "1, paper, 1",
  })
  void publishedCounts(int tokens, String rule, int kept) {
    String given = "tokens=" + tokens + ",rule=" + rule;
    assertThat(scan(given, drawn(576, 1), drawn(576, 2), grid(24, 24)).size()).isEqualTo(kept);
  }

  /**
   * 8 x 8 in windows of 2 x 2, 32 tokens: each window gives its best by the early layer, whose
   * attention falls with the index, so its upper left; the other 16 are the last of those left,
   * because attention of the last layer rises.
   */
  @Test
  void localAndGlobalByHand() {
    float[] descending = new float[64];
    float[] rising = new float[64];
    for (int i = 0; i < 64; i++) {
      descending[i] = 64 - i;
      rising[i] = i;
    }
    int[] upperLeft = IntStream.range(0, 64).filter(i -> i / 8 % 2 == 0 && i % 2 == 0).toArray();
    int[] last =
        IntStream.range(0, 64)
            .filter(i -> Arrays.binarySearch(upperLeft, i) < 0)
            .skip(48 - 16)
            .toArray();
    int[] both = IntStream.concat(Arrays.stream(upperLeft), Arrays.stream(last)).sorted().toArray();
    for (String rule : List.of("paper", "code")) {
      Selection selection = scan("tokens=32,rule=" + rule, descending, rising, grid(8, 8));
      assertThat(selection.keptVisual()).containsExactly(both);
      assertThat(selection.scores()).containsExactly(rising);
    }
  }

  /** Of 18 local ones each window gives one, and the two with the best second token two. */
  @Test
  void whatDoesNotDivideGoesToTheBestWindows() {
    float[] local = new float[64];
    for (int token : new int[] {0, 1, 8, 62, 63}) {
      local[token] = 5 + token;
    }
    float[] global = new float[64];
    Arrays.fill(global, 16, 48, 1);
    Selection selection = scan("tokens=36", local, global, grid(8, 8));
    assertThat(selection.keptVisual()).hasSize(36).contains(1, 8, 62, 63).doesNotContain(0, 9, 55);
  }

  /** 0 stays by the local scan, 16 by the global one; 8 lies between and joins the first. */
  @Test
  void othersJoinTheNearestThatStays() {
    float[] global = new float[17];
    global[0] = 2;
    global[16] = 1;
    TokenLayout row = grid(1, 17);
    Selection merging = scan("tokens=2", new float[17], global, row);
    assertThat(merging.keptVisual()).containsExactly(0, 16);
    assertThat(merging.merged())
        .containsExactly(
            MergedToken.mean(0, 0, 1, 2, 3, 4, 5, 6, 7, 8),
            MergedToken.mean(16, 16, 9, 10, 11, 12, 13, 14, 15));
    assertThat(scan("tokens=2,merge=after", new float[17], global, row)).isEqualTo(merging);
    assertThat(scan("tokens=2,merge=off", new float[17], global, row).merged()).isEmpty();
  }

  @Test
  void rowsApartAreOneGrid() {
    List<VisualSpan> rows =
        IntStream.range(0, 12)
            .mapToObj(row -> new VisualSpan(0, 0, 5 + 13 * row, 12, 1, 12))
            .toList();
    float[] local = drawn(144, 1);
    float[] global = drawn(144, 2);
    assertThat(scan("merge=off", local, global, new TokenLayout(180, rows)))
        .isEqualTo(scan("merge=off", local, global, grid(12, 12)));
  }

  @Test
  void withoutAGridTheGlobalScanChoosesAlone() {
    float[] global = drawn(20, 3);
    TokenLayout gridless = new TokenLayout(30, List.of(new VisualSpan(0, 5, 20, 0, 0)));
    for (String rule : List.of("paper", "code")) {
      Selection selection = scan("tokens=7,rule=" + rule, drawn(20, 4), global, gridless);
      assertThat(selection.keptVisual()).containsExactly(Selection.top(global, 7).keptVisual());
      assertThat(selection.notes())
          .containsExactly(
              "1 of 1 tiles have no whole patch grid, so the global scan alone chose there");
    }
  }

  @Property(tries = 200)
  void keepsItsCountOnAnyGridAndLosesNoToken(
      @ForAll @IntRange(min = 1, max = 15) int rows,
      @ForAll @IntRange(min = 1, max = 15) int columns,
      @ForAll @IntRange(min = 1, max = 240) int tokens,
      @ForAll long seed) {
    int n = rows * columns;
    Selection selection =
        scan("tokens=" + tokens, drawn(n, seed), drawn(n, seed + 1), grid(rows, columns));
    assertThat(selection.size()).isEqualTo(Math.min(tokens, n));
    boolean[] seen = new boolean[n];
    for (int kept : selection.keptVisual()) {
      seen[kept] = true;
    }
    int joined = 0;
    for (MergedToken token : selection.merged()) {
      joined += token.sources().length - 1;
      for (int source : token.sources()) {
        seen[source] = true;
      }
    }
    assertThat(seen).doesNotContain(false);
    assertThat(selection.keptVisual().length + joined).isEqualTo(n);
    assertThat(
            scan("rule=code,tokens=" + tokens, drawn(n, seed), drawn(n, 3), grid(rows, columns))
                .size())
        .isLessThanOrEqualTo(Math.min(tokens, n));
  }

  @Test
  void secondStageRanksTheWholeRequest() {
    SitePlan plan = Models.onlySite(Strategies.parse("vscan:stage=2,keep=0.5"));
    assertThat(plan.site()).isEqualTo(new Site.BeforeLayer(16));
    float[] attention = {1, 2, 3, 4, 9, 8, 7, 0};
    assertThat(
            Models.select(
                    Strategies.parse("vscan:stage=2,keep=0.5"),
                    attention,
                    new int[] {2, 2},
                    new int[] {2, 2})
                .keptVisual())
        .containsExactly(3, 4, 5, 6);
  }

  /** 96 of 576, then 32: 64 on average over 32 layers. */
  @Test
  void publishedBudgets() {
    for (String given : List.of("", "tokens=96", "keep=0.16667")) {
      assertThat(scan(given, drawn(576, 1), drawn(576, 2), grid(24, 24)).size()).isEqualTo(96);
    }
    for (String spec : List.of("vscan", "vscan:tokens=96/32", "vscan:keep=0.16667/0.33333")) {
      SitePlan look = Strategies.parse(spec).plan(Models.llava(true)).get(1);
      SiteContext context = Models.context(look.site(), 0, new int[] {8, 12});
      Observations seen =
          Observations.of(
              Map.of(
                  Observe.textToVisualAttention(16, Rows.LAST),
                  new Observation(1, 96, drawn(96, 1))));
      assertThat(look.decision().select(context, seen).size()).isEqualTo(32);
    }
  }

  @Test
  void specSaysAll() {
    String spec =
        "vscan:stage=both,keep=0.5/0.25/0.1,tokens=96/64/32,merge=off,rule=code,layers=8/16,local=2";
    assertThat(Strategies.parse(spec).spec()).isEqualTo(spec);
    assertThat(new VScan().spec()).isEqualTo("vscan:stage=both,merge=before,rule=paper");
    assertThat(Strategies.parse("vscan")).isEqualTo(new VScan());
  }

  @Test
  void severalLayersTakeABudgetEach() {
    assertThat(Strategies.parse("vscan:layers=8/16,tokens=96/64/32").plan(Models.llava(true)))
        .extracting(SitePlan::site)
        .containsExactly(
            new Site.BeforeProjector(), new Site.BeforeLayer(8), new Site.BeforeLayer(16));
    assertThatThrownBy(() -> Strategies.parse("vscan:tokens=96/64/32"))
        .hasMessage(
            "strategy 'vscan': tokens=96/64/32 are 3 numbers for 2 sites; give one for each or one for all");
    assertThatThrownBy(() -> Strategies.parse("vscan:stage=1,layers=8"))
        .hasMessage(
            "strategy 'vscan': layers=8 are those of stage 2, but stage=1; leave one of them out");
    assertThatThrownBy(() -> Strategies.parse("vscan:keep=0"))
        .hasMessage("keep=0.0 is out of range; choose a retention ratio above 0 and at most 1");
    assertThatThrownBy(() -> Strategies.parse("vscan:tokens=96/0"))
        .hasMessageContaining("tokens=96/0 is out of range; choose whole numbers of at least 1");
    assertThatThrownBy(() -> Strategies.parse("vscan:local=23").plan(Models.llava(true)))
        .hasMessage(
            "strategy 'vscan': local=23, but the vision tower runs 23 layers; choose 1..22");
  }
}

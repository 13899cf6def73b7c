package dev.squint.pruning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every strategy on the class path. */
class EveryStrategyTest {

  /** Those that may well keep every token, whatever they are shown here. */
  private static final Set<String> DECIDES_ALONE = Set.of("exit");

  private static final ModelShape MODEL =
      new ModelShape(
          "small",
          new DecoderShape(16, 32, 4, 2, 8, 64, 100),
          VisionShape.builder()
              .layers(23)
              .hidden(16)
              .heads(4)
              .intermediate(64)
              .grid(12, 12)
              .patchDim(588)
              .cls(true)
              .projectorHidden(32)
              .build(),
          144);

  private static final TokenLayout ONE =
      new TokenLayout(160, List.of(new VisualSpan(0, 5, 144, 12, 12)));

  /** Two images with text between them, the first of two tiles. */
  private static final TokenLayout SEVERAL =
      new TokenLayout(
          460,
          List.of(
              new VisualSpan(0, 0, 5, 144, 12, 12),
              new VisualSpan(0, 1, 150, 144, 12, 12),
              new VisualSpan(1, 0, 301, 144, 12, 12)));

  static List<String> names() {
    return Strategies.available().stream().map(StrategyType::name).toList();
  }

  static List<String> prunes() {
    return names().stream()
        .filter(name -> !name.equals("none") && Strategies.parse(name).cache(MODEL).isEmpty())
        .toList();
  }

  static List<String> prunesByShare() {
    return prunes().stream().filter(name -> takes(name, "keep")).toList();
  }

  static List<String> prunesByCount() {
    return prunes().stream().filter(name -> takes(name, "tokens")).toList();
  }

  private static boolean takes(String name, String parameter) {
    return Strategies.available().stream()
        .filter(provider -> provider.name().equals(name))
        .flatMap(provider -> provider.parameters().stream())
        .anyMatch(candidate -> candidate.name().equals(parameter));
  }

  private record Choice(SitePlan plan, SiteContext context, Selection selection) {}

  /** Runs a strategy over a prompt, each site on what the one before it left. */
  private static List<Choice> run(Strategy strategy, TokenLayout layout, Source source) {
    return run(strategy, layout, source, 7);
  }

  private static List<Choice> run(Strategy strategy, TokenLayout layout, Source source, long seed) {
    List<Choice> choices = new ArrayList<>();
    SiteContext first = SiteContext.whole(new Site.AfterVision(), layout, seed);
    int[] alive = first.liveOriginals();
    int entered = alive.length;
    int[] positions = layout.visualPositions();
    for (SitePlan plan : strategy.plan(MODEL)) {
      if (alive.length == 0) {
        break;
      }
      int[] at = IntStream.of(alive).map(token -> positions[token]).toArray();
      SiteContext context =
          new SiteContext(
              plan.site(),
              layout,
              alive,
              plan.site().depth() < 0 ? alive.length : entered,
              new SiteContext.Positions(at, first.positions().text()),
              seed);
      Selection selection =
          plan.decision().select(context, source.of(plan, context)).requireFits(alive.length);
      choices.add(new Choice(plan, context, selection));
      alive = survivors(context, selection);
      if (plan.site().depth() < 0) {
        entered = alive.length;
      }
    }
    return choices;
  }

  private static int[] survivors(SiteContext context, Selection selection) {
    int[] alive = context.liveOriginals();
    List<VisualSpan> spans = context.spans();
    List<Integer> next = new ArrayList<>();
    for (Scope.Group tile : Scope.TILE.groups(context)) {
      for (int kept : selection.keptVisual()) {
        if (kept >= tile.from() && kept < tile.to()) {
          next.add(alive[kept]);
        }
      }
      for (MergedToken token : selection.added()) {
        if (token.origin() >= tile.from() && token.origin() < tile.to()) {
          next.add(alive[token.origin()]);
        }
      }
    }
    assertThat(spans).hasSize(alive.length);
    return next.stream().mapToInt(Integer::intValue).toArray();
  }

  private interface Source {
    Observations of(SitePlan plan, SiteContext context);
  }

  private static Source drawn(long seed) {
    return new RandomObservations(MODEL, seed)::of;
  }

  @ParameterizedTest
  @MethodSource("prunes")
  void sitesAscendAndTokensLeave(String name) {
    for (TokenLayout layout : List.of(ONE, SEVERAL)) {
      requireTokensLeave(name, layout);
    }
  }

  private static void requireTokensLeave(String name, TokenLayout layout) {
    List<Choice> choices = run(Strategies.parse(name), layout, drawn(1));
    assertThat(choices).isNotEmpty();
    assertThat(choices).extracting(choice -> choice.plan.site().depth()).isSorted();
    int before = layout.visualTokens();
    int after = choices.get(choices.size() - 1).selection.size();
    assertThat(after).isLessThan(DECIDES_ALONE.contains(name) ? before + 1 : before);
  }

  static List<String> withOrWithoutSeed() {
    List<String> specs = new ArrayList<>(prunes());
    specs.addAll(
        List.of(
            "random:keep=1",
            "random:keep=1,at=3",
            "random:keep=0.9",
            "random:tokens=5",
            "random:keep=1,tokens=5",
            "random:keep=0.5,seed=3",
            "layerwise:score=random",
            "fastervlm:keep=0.5 + random:keep=0.5,at=3",
            "fastervlm:keep=0.5 + random:keep=1,at=3"));
    return specs;
  }

  /** What says that it does not draw is asked once, however many seeds there are. */
  @ParameterizedTest
  @MethodSource("withOrWithoutSeed")
  void onlyWhatDrawsDependsOnTheSeed(String spec) {
    Strategy strategy = Strategies.parse(spec);
    Set<List<Selection>> kept = new HashSet<>();
    for (long seed = 1; seed <= 5; seed++) {
      kept.add(run(strategy, SEVERAL, drawn(3), seed).stream().map(Choice::selection).toList());
    }
    assertThat(kept.size() > 1).isEqualTo(strategy.drawsBySeed());
  }

  @ParameterizedTest
  @MethodSource("prunes")
  void mergedTokensAreMadeOfTheirOwnTile(String name) {
    for (Choice choice : run(Strategies.parse(name), SEVERAL, drawn(2))) {
      assertThat(choice.plan.merges() || choice.selection.merged().isEmpty()).isTrue();
      List<VisualSpan> spans = choice.context.spans();
      for (MergedToken token : choice.selection.merged()) {
        if (choice.plan.site().depth() < 0) {
          for (int source : token.sources()) {
            assertThat(spans.get(source)).isEqualTo(spans.get(token.origin()));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("prunes")
  void repeatsForASeed(String name) {
    Strategy strategy = Strategies.parse(name);
    assertThat(selections(run(strategy, SEVERAL, drawn(3))))
        .isEqualTo(selections(run(Strategies.parse(name), SEVERAL, drawn(3))));
    List<List<Selection>> parallel =
        IntStream.range(0, 8)
            .parallel()
            .mapToObj(i -> selections(run(strategy, SEVERAL, drawn(3))))
            .distinct()
            .toList();
    assertThat(parallel).hasSize(1);
  }

  private static List<Selection> selections(List<Choice> choices) {
    return choices.stream().map(Choice::selection).toList();
  }

  @ParameterizedTest
  @MethodSource("names")
  void canonicalSpecMakesAnEqualStrategy(String name) {
    Strategy strategy = Strategies.parse(name);
    assertThat(Strategies.parse(strategy.spec())).isEqualTo(strategy);
  }

  @ParameterizedTest
  @MethodSource("prunesByShare")
  void keepingAllKeepsAllAndMergesNothing(String name) {
    List<Choice> choices = run(Strategies.parse(name + ":keep=1.0"), SEVERAL, drawn(4));
    assertThat(choices).isNotEmpty();
    for (Choice choice : choices) {
      assertThat(choice.selection.keptVisual()).hasSize(choice.context.visualTokens());
      assertThat(choice.selection.merged()).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("prunesByCount")
  void moreTokensThanThereAreIsSaidAndNoError(String name) {
    List<Choice> choices = run(Strategies.parse(name + ":tokens=5000"), ONE, drawn(4));
    assertThat(choices.get(0).selection.keptVisual()).hasSize(144);
    assertThat(choices.get(0).selection.merged()).isEmpty();
    assertThat(choices.get(0).selection.notes()).isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("prunes")
  void brokenNumbersBreakNothing(String name) {
    for (float value :
        new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0, -1}) {
      for (int every : new int[] {1, 3}) {
        List<Choice> choices = run(Strategies.parse(name), ONE, broken(value, every));
        assertThat(choices).isNotEmpty();
        for (Choice choice : choices) {
          assertThat(choice.selection.size()).isLessThanOrEqualTo(144);
        }
      }
    }
  }

  /** Drawn observations of which each n-th number is replaced. */
  private static Source broken(float value, int every) {
    return (plan, context) -> {
      Observations drawn = drawn(5).of(plan, context);
      Map<Expression, Observation> spoilt = new HashMap<>();
      for (Expression need : plan.needs()) {
        Observation whole = drawn.get(need);
        float[] values = whole.values();
        for (int i = 0; i < values.length; i += every) {
          values[i] = value;
        }
        spoilt.put(need, new Observation(whole.rows(), whole.columns(), values));
      }
      return Observations.of(spoilt);
    };
  }

  @ParameterizedTest
  @MethodSource("prunes")
  void oneTokenIsEnough(String name) {
    TokenLayout single = new TokenLayout(8, List.of(new VisualSpan(0, 3, 1, 1, 1)));
    List<Choice> choices = run(Strategies.parse(name), single, drawn(6));
    assertThat(choices).isNotEmpty();
    for (Choice choice : choices) {
      assertThat(choice.selection.size()).isLessThanOrEqualTo(1);
    }
  }

  @ParameterizedTest
  @MethodSource("prunes")
  void imageAtTheEndOfThePrompt(String name) {
    TokenLayout last = new TokenLayout(149, List.of(new VisualSpan(0, 5, 144, 12, 12)));
    requireTokensLeave(name, last);
  }

  @ParameterizedTest
  @MethodSource("prunes")
  void rowsThatNewlineTokensPart(String name) {
    List<VisualSpan> rows =
        IntStream.range(0, 12)
            .mapToObj(row -> new VisualSpan(0, 0, 5 + 13 * row, 12, 1, 12))
            .toList();
    TokenLayout layout = new TokenLayout(180, rows);
    requireTokensLeave(name, layout);
  }

  @Test
  void drawnObservationsAreOfTheShapeThatIsDocumented() {
    SiteContext context = SiteContext.whole(new Site.AfterVision(), SEVERAL, 0);
    Expression need = Observe.featureSimilarity(Stage.PROJECTED);
    SitePlan plan =
        new SitePlan(context.site(), Set.of(need), PositionPolicy.COMPACTED, (c, o) -> null);
    Observation similarity = new RandomObservations(MODEL, 1).of(plan, context).get(need);
    assertThat(similarity.rows()).isEqualTo(432);
    assertThat(similarity.columns()).isEqualTo(144);
    assertThat(similarity.at(300, 12)).isCloseTo(1, within(1e-6f));
  }
}

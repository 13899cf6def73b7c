package dev.squint.pruning;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Binary;
import dev.squint.pruning.observe.Constant;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Named;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Reduce;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.observe.Unary;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every strategy on drawn observations against what NumPy computed from the papers' definitions
 * ({@code models/fixtures/make_decisions.py}): sites, position policy, kept tokens, and weights of
 * the tokens that are made of several.
 */
class DecisionParityTest {

  private static final double TOLERANCE = 1e-5;
  private static final Set<String> BASELINES = Set.of("random", "uniform");

  private static JsonNode fixture() throws IOException {
    try (InputStream in =
        DecisionParityTest.class.getResourceAsStream("decisions/decisions.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  static Stream<Arguments> cases() throws IOException {
    JsonNode root = fixture();
    Map<String, Scene> scenes = new HashMap<>();
    return stream(root.path("cases"))
        .map(
            one -> {
              String scene = one.path("scene").asText();
              return Arguments.of(
                  one.path("spec").asText(),
                  scene,
                  scenes.computeIfAbsent(
                      scene, name -> new Scene(root.path("scenes").path(name), new HashMap<>())),
                  one.path("sites"));
            });
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("cases")
  void decidesAsTheReferenceDoes(String spec, String name, Scene scene, JsonNode sites) {
    List<SitePlan> plans = Strategies.parse(spec).plan(scene.model());
    assertThat(plans)
        .extracting(plan -> plan.site().toString())
        .containsExactlyElementsOf(stream(sites).map(site -> site.path("site").asText()).toList());
    for (int i = 0; i < plans.size(); i++) {
      SitePlan plan = plans.get(i);
      JsonNode expected = sites.get(i);
      if (!expected.has("kept")) {
        continue; // no visual token is left to decide on
      }
      SiteContext context = scene.context(plan.site(), expected);
      Selection selection =
          plan.decision()
              .select(context, scene.observations(plan, context))
              .requireFits(context.visualTokens());
      String where = plan.site().toString();
      assertThat(plan.positions().name()).as(where).isEqualTo(expected.path("positions").asText());
      assertThat(selection.keptVisual()).as(where).containsExactly(ints(expected.path("kept")));
      assertThat(plan.merges() || selection.merged().isEmpty()).as(where + " may merge").isTrue();
      requireSameMixes(where, context.visualTokens(), selection, expected.path("mixed"));
    }
  }

  @Test
  void coversEveryStrategyThatDecides() throws IOException {
    Set<String> covered =
        stream(fixture().path("cases"))
            .map(one -> one.path("spec").asText().split(":")[0])
            .collect(Collectors.toSet());
    assertThat(Strategies.available())
        .extracting(StrategyType::name)
        .filteredOn(name -> !BASELINES.contains(name))
        .filteredOn(name -> !Strategies.parse(name).plan(TestModels.llava()).isEmpty())
        .allMatch(covered::contains);
  }

  /** Compares what goes on as sums over the tokens alive; a mean of one is that one. */
  private static void requireSameMixes(
      String where, int alive, Selection selection, JsonNode expected) {
    Map<Integer, JsonNode> inPlace = new HashMap<>();
    List<JsonNode> added = new ArrayList<>();
    for (JsonNode mix : expected) {
      if (mix.path("added").asBoolean()) {
        added.add(mix);
      } else {
        inPlace.put(mix.path("origin").asInt(), mix);
      }
    }
    Map<Integer, MergedToken> made = new HashMap<>();
    selection.merged().forEach(token -> made.put(token.origin(), token));
    for (int kept : selection.keptVisual()) {
      if (!made.containsKey(kept) && !inPlace.containsKey(kept)) {
        continue; // as it is, in both
      }
      assertThat(weights(alive, kept, made.get(kept)))
          .as("%s, token %d", where, kept)
          .containsExactly(weights(alive, kept, inPlace.get(kept)), within());
    }
    List<MergedToken> top = selection.added();
    assertThat(top).as(where).hasSameSizeAs(added);
    for (int i = 0; i < added.size(); i++) {
      int origin = added.get(i).path("origin").asInt();
      if (origin >= 0) {
        assertThat(top.get(i).origin()).as("%s, added token %d", where, i).isEqualTo(origin);
      }
      assertThat(weights(alive, -1, top.get(i)))
          .as("%s, added token %d", where, i)
          .containsExactly(weights(alive, -1, added.get(i)), within());
    }
  }

  private static Offset<Double> within() {
    return Offset.offset(TOLERANCE);
  }

  private static double[] weights(int alive, int kept, MergedToken token) {
    double[] made = new double[alive];
    if (token == null) {
      made[kept] = 1;
      return made;
    }
    int[] sources = token.sources();
    for (int i = 0; i < sources.length; i++) {
      made[sources[i]] = token.weights()[i];
    }
    return made;
  }

  private static double[] weights(int alive, int kept, JsonNode mix) {
    double[] made = new double[alive];
    if (mix == null) {
      made[kept] = 1;
      return made;
    }
    int[] sources = ints(mix.path("sources"));
    JsonNode weights = mix.path("weights");
    for (int i = 0; i < sources.length; i++) {
      made[sources[i]] = weights.get(weights.size() == 1 ? 0 : i).asDouble();
    }
    return made;
  }

  private static Stream<JsonNode> stream(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  private static int[] ints(JsonNode array) {
    return stream(array).mapToInt(JsonNode::asInt).toArray();
  }

  /**
   * A model's shape, a prompt, and what the network would show of it, which is kept once it is
   * decoded.
   */
  record Scene(JsonNode json, Map<String, Observation> read) {

    ModelShape model() {
      int[] decoder = ints(json.path("decoder"));
      int[] vision = ints(json.path("vision"));
      VisualSpan span = layout().visual().get(0);
      return new ModelShape(
          "drawn",
          new DecoderShape(
              decoder[0], decoder[1], decoder[2], decoder[3], decoder[4], decoder[5], decoder[6]),
          VisionShape.builder()
              .layers(vision[0])
              .hidden(vision[1])
              .heads(vision[2])
              .intermediate(vision[3])
              .grid(span.rows(), span.columns())
              .patchDim(12)
              .cls(json.path("hasCls").asBoolean())
              .projectorHidden(vision[1])
              .build(),
          span.length());
    }

    TokenLayout layout() {
      return new TokenLayout(
          json.path("length").asInt(),
          stream(json.path("spans"))
              .map(DecisionParityTest::ints)
              .map(span -> new VisualSpan(span[0], span[1], span[2], span[3], span[4], span[5]))
              .toList());
    }

    SiteContext context(Site site, JsonNode expected) {
      if (!expected.has("alive")) {
        return SiteContext.whole(site, layout(), 0);
      }
      return new SiteContext(
          site,
          layout(),
          ints(expected.path("alive")),
          expected.path("entered").asInt(),
          new SiteContext.Positions(ints(expected.path("visual")), ints(expected.path("text"))),
          0);
    }

    Observations observations(SitePlan plan, SiteContext context) {
      Map<Expression, Observation> seen = new HashMap<>();
      plan.needs().forEach(need -> seen.put(need, observe(need, context)));
      return Observations.of(seen);
    }

    private Observation observe(Expression need, SiteContext context) {
      Leaf first = need.leaves().findFirst().orElseThrow();
      if (first.place().kind() == Place.Kind.DECODER
          && first.tensor() == Leaf.Tensor.PROBABILITIES) {
        return attention(need, first, context);
      }
      Expression known =
          need instanceof Leaf leaf && leaf.tensor() == Leaf.Tensor.HIDDEN
              ? Observe.hiddenStates(leaf.place().layer(), leaf.rows(), false)
              : need;
      JsonNode stored = json.path("observations").path(known.toString());
      if (stored.isMissingNode()) {
        return computed(need, context);
      }
      Observation whole = read.computeIfAbsent(known.toString(), name -> observation(stored));
      int[] alive = context.liveOriginals();
      return switch (stored.path("axis").asText()) {
        case "columns" -> columns(whole, alive);
        case "rows" -> rows(whole, alive);
        case "cosines" -> cosines(whole, context);
        default -> whole;
      };
    }

    /** What is made of stored observations, in double precision. */
    private Observation computed(Expression need, SiteContext context) {
      assertThat(need).as("the reference looks at it").isNotInstanceOf(Leaf.class);
      List<Observation> of =
          need.operands()
              .filter(operand -> !(operand instanceof Constant))
              .map(operand -> observe(operand, context))
              .toList();
      Observation one = of.get(0);
      if (need instanceof Binary binary && binary.function() == Binary.Function.SUB) {
        return each(one, (row, column) -> (double) one.at(row, column) - of.get(1).at(row, column));
      }
      if (need instanceof Binary binary && binary.second() instanceof Constant number) {
        assertThat(binary.function()).isEqualTo(Binary.Function.DIV);
        return each(one, (row, column) -> one.at(row, column) / (double) number.value());
      }
      if (need instanceof Reduce reduce) {
        assertThat(reduce.function()).isEqualTo(Reduce.Function.NORM);
        float[] norms = new float[one.rows()];
        for (int row = 0; row < norms.length; row++) {
          norms[row] = (float) Math.sqrt(dot(one, row, row));
        }
        return new Observation(1, norms.length, norms);
      }
      if (need instanceof Unary unary) {
        return inTiles(unary.function(), one, context);
      }
      assertThat(need).isInstanceOf(Named.class);
      return one;
    }

    private interface Entry {
      double at(int row, int column);
    }

    private static Observation each(Observation shape, Entry entry) {
      float[] values = new float[shape.rows() * shape.columns()];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) entry.at(i / shape.columns(), i % shape.columns());
      }
      return new Observation(shape.rows(), shape.columns(), values);
    }

    private static Observation inTiles(
        Unary.Function function, Observation of, SiteContext context) {
      float[] values = new float[of.rows() * of.columns()];
      for (Scope.Group tile : Scope.TILE.groups(context)) {
        for (int i = 0; i < tile.size(); i++) {
          double sum = 0;
          for (int j = 0; j < tile.size(); j++) {
            sum += Math.exp(of.at(tile.from() + i, j));
          }
          for (int j = 0; j < tile.size(); j++) {
            values[(tile.from() + i) * of.columns() + j] =
                switch (function) {
                  case SOFTMAX -> (float) (Math.exp(of.at(tile.from() + i, j)) / sum);
                  case TRANSPOSE -> of.at(tile.from() + j, i);
                  default -> throw new AssertionError("not known here: " + function);
                };
          }
        }
      }
      return new Observation(of.rows(), of.columns(), values);
    }

    private Observation attention(Expression need, Leaf map, SiteContext context) {
      Expression each =
          Observe.textToVisualAttention(map.place().layer(), Rows.TEXT_AFTER_VISUAL, Heads.EACH);
      JsonNode stored = json.path("observations").path(each.toString());
      assertThat(stored.isMissingNode()).as("the reference looks at: " + need).isFalse();
      Observation whole = read.computeIfAbsent(each.toString(), name -> observation(stored));
      Observation all = columns(whole, context.liveOriginals());
      int heads = model().decoder().heads();
      int text = all.rows() / heads;
      int first = map.rows() == Rows.LAST ? text - 1 : 0;
      int queries = map.rows() == Rows.FIRST_AFTER_VISUAL ? 1 : text - first;
      boolean averaged = need.axes().size() == 2;
      float[] values = new float[(averaged ? 1 : heads) * queries * all.columns()];
      for (int query = 0; query < queries; query++) {
        for (int column = 0; column < all.columns(); column++) {
          double sum = 0;
          for (int head = 0; head < heads; head++) {
            float value = all.at(head * text + first + query, column);
            sum += value;
            if (!averaged) {
              values[(head * queries + query) * all.columns() + column] = value;
            }
          }
          if (averaged) {
            values[query * all.columns() + column] = (float) (sum / heads);
          }
        }
      }
      return new Observation(values.length / all.columns(), all.columns(), values);
    }

    private static Observation observation(JsonNode stored) {
      ByteBuffer bytes =
          ByteBuffer.wrap(Base64.getDecoder().decode(stored.path("values").asText()))
              .order(ByteOrder.LITTLE_ENDIAN);
      float[] values = new float[bytes.remaining() / Float.BYTES];
      bytes.asFloatBuffer().get(values);
      return new Observation(stored.path("rows").asInt(), stored.path("columns").asInt(), values);
    }

    private static Observation columns(Observation whole, int[] alive) {
      float[] values = new float[whole.rows() * alive.length];
      for (int row = 0; row < whole.rows(); row++) {
        for (int column = 0; column < alive.length; column++) {
          values[row * alive.length + column] = whole.at(row, alive[column]);
        }
      }
      return new Observation(whole.rows(), alive.length, values);
    }

    private static Observation rows(Observation whole, int[] alive) {
      float[] values = new float[alive.length * whole.columns()];
      for (int row = 0; row < alive.length; row++) {
        System.arraycopy(whole.row(alive[row]), 0, values, row * whole.columns(), whole.columns());
      }
      return new Observation(alive.length, whole.columns(), values);
    }

    private static Observation cosines(Observation vectors, SiteContext context) {
      double[] norms =
          IntStream.range(0, vectors.rows())
              .mapToDouble(i -> Math.sqrt(dot(vectors, i, i)))
              .toArray();
      List<Scope.Group> tiles = Scope.TILE.groups(context);
      int side = tiles.stream().mapToInt(Scope.Group::size).max().orElse(0);
      float[] values = new float[vectors.rows() * side];
      for (Scope.Group tile : tiles) {
        for (int i = tile.from(); i < tile.to(); i++) {
          for (int j = tile.from(); j < tile.to(); j++) {
            values[i * side + j - tile.from()] =
                (float) (dot(vectors, i, j) / (norms[i] * norms[j]));
          }
        }
      }
      return new Observation(vectors.rows(), side, values);
    }

    private static double dot(Observation vectors, int one, int other) {
      double sum = 0;
      for (int k = 0; k < vectors.columns(); k++) {
        sum += (double) vectors.at(one, k) * vectors.at(other, k);
      }
      return sum;
    }

    @Override
    public String toString() {
      return "scene";
    }
  }
}

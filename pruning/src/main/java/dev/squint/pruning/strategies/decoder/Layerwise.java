package dev.squint.pruning.strategies.decoder;

import dev.squint.error.StrategyException;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.schedules.Counts;
import dev.squint.pruning.schedules.Fixed;
import dev.squint.pruning.schedules.Geometric;
import dev.squint.pruning.schedules.RankAdaptive;
import dev.squint.pruning.schedules.Schedule;
import dev.squint.pruning.schedules.ScheduleFile;
import dev.squint.pruning.schedules.Sigmoid;
import dev.squint.pruning.schedules.TopP;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Any score on any schedule before any decoder layers: the tool for trying a schedule, and what a
 * schedule found by search is run with. Original positions.
 *
 * <p>Scores are made of the attention in layer k-1, heads averaged, before layer k: {@code last} is
 * the row of the last prompt token (FastV), {@code text} the mean over the text after the image,
 * {@code raters} the mean over SparseVLM's raters, {@code random} a draw. Where there is no text
 * after the image, the last row stands in. Schedules: {@code fixed} shares of the tokens that
 * entered the decoder ({@code share}, one per site or one for all), {@code counts} ({@code count},
 * likewise), {@code geometric} ({@code share} of those alive, at each site), {@code top-p} ({@code
 * share} of the scores), {@code rank} ({@code share} is lambda) and {@code sigmoid} ({@code share}
 * is the mean over all layers, steepness 10, from all down to 2 %).
 *
 * @param score {@code last}, {@code text}, {@code raters} or {@code random}
 * @param schedule the name of the schedule
 * @param share its numbers; empty for 0.5
 * @param count numbers of tokens, for {@code counts}; empty for 64
 * @param layers the first layers that run pruned; empty for 8, 16 and 24 of 32, scaled
 * @param file a schedule file, which wins over schedule, shares, counts and layers
 */
public record Layerwise(
    String score,
    String schedule,
    List<Double> share,
    List<Integer> count,
    List<Integer> layers,
    Optional<String> file)
    implements DescribedStrategy {

  private static final double HALF = 0.5;
  private static final int TOKENS = 64;
  private static final double STEEP = 10;
  private static final double LOW = 0.02;
  private static final Expression DOTS = Observe.embeddingSimilarity(Measure.DOT);
  private static final Type TYPE = new Type();

  public Layerwise {
    TYPE.check(score, schedule, share, count, layers, file);
    share = List.copyOf(share);
    count = List.copyOf(count);
    layers = List.copyOf(layers);
    boolean oneNumber = !schedule.equals("fixed") && !schedule.equals("counts");
    if (oneNumber && share.size() > 1) {
      throw new StrategyException(
          "strategy '%s': schedule=%s takes one share, but %d are given; give one"
              .formatted(TYPE.name(), schedule, share.size()));
    }
    if (share.contains(0.0) && !schedule.equals("rank")) {
      throw new StrategyException(
          "strategy '%s': share=0 keeps nothing; choose a share above 0, or strategy 'exit'"
              .formatted(TYPE.name()));
    }
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Optional<ScheduleFile> found = file.map(ScheduleFile::read);
    List<Integer> splits =
        model
            .decoder()
            .requireSplits(TYPE.name(), found.map(ScheduleFile::layers).orElse(layers), 8, 16, 24);
    Schedule counted =
        found.<Schedule>map(f -> new Fixed(f.shares())).orElseGet(() -> schedule(model, splits));
    List<SitePlan> sites = new ArrayList<>();
    for (int k : splits) {
      int site = sites.size();
      Set<Expression> needs = needs(k);
      sites.add(
          new SitePlan(
              new Site.BeforeLayer(k),
              needs,
              PositionPolicy.ORIGINAL,
              (context, seen) -> {
                float[][] rows = rows(k, context, seen);
                float[] scores = score.equals("random") ? drawn(k, context) : mean(rows);
                Schedule.Step step =
                    new Schedule.Step(
                        site, k, model.decoder().layers(), context.enteredDecoder(), scores, rows);
                return Selection.top(scores, step.kept(counted));
              }));
    }
    return List.copyOf(sites);
  }

  @Override
  public boolean drawsBySeed() {
    return score.equals("random");
  }

  private Schedule schedule(ModelShape model, List<Integer> splits) {
    double first = share.isEmpty() ? HALF : share.get(0);
    return switch (schedule) {
      case "counts" -> new Counts(count.isEmpty() ? List.of(TOKENS) : count);
      case "geometric" -> new Geometric(first);
      case "top-p" -> new TopP(first);
      case "rank" -> new RankAdaptive(first);
      case "sigmoid" -> Sigmoid.averaging(STEEP, LOW, 1, splits, model.decoder().layers(), first);
      default -> new Fixed(share.isEmpty() ? List.of(HALF) : share);
    };
  }

  private static Expression attention(int k, Rows rows) {
    return Observe.textToVisualAttention(k - 1, rows);
  }

  private Set<Expression> needs(int k) {
    Expression last = attention(k, Rows.LAST);
    Expression text = attention(k, Rows.TEXT_AFTER_VISUAL);
    return switch (score) {
      case "text" -> Set.of(last, text);
      case "raters" -> Set.of(last, text, DOTS);
      default -> Set.of(last);
    };
  }

  private float[][] rows(int k, SiteContext context, Observations seen) {
    float[][] last = {seen.get(attention(k, Rows.LAST)).row(0)};
    if (needs(k).size() == 1 || context.positions().text().length == 0) {
      return last;
    }
    Observation text = seen.get(attention(k, Rows.TEXT_AFTER_VISUAL));
    int[] wanted = score.equals("raters") ? TextRaters.of(seen.get(DOTS), false) : all(text.rows());
    return Arrays.stream(wanted).mapToObj(text::row).toArray(float[][]::new);
  }

  private static int[] all(int count) {
    int[] all = new int[count];
    Arrays.setAll(all, i -> i);
    return all;
  }

  private static float[] mean(float[][] rows) {
    float[] mean = new float[rows[0].length];
    for (float[] row : rows) {
      for (int i = 0; i < mean.length; i++) {
        mean[i] += row[i] / rows.length;
      }
    }
    return mean;
  }

  private static float[] drawn(int k, SiteContext context) {
    SplittableRandom random = new SplittableRandom(context.seed() * 31 + k);
    float[] scores = new float[context.visualTokens()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) random.nextDouble();
    }
    return scores;
  }

  /** The descriptor of {@link Layerwise}, for the service loader. */
  public static final class Type extends StrategyType<Layerwise> {

    public Type() {
      super(
          Layerwise.class,
          "layerwise",
          "ranks visual tokens before chosen layers by a score of choice, on a schedule of choice",
          "schedules of PyramidDrop, SparseVLM, ZipVL, Twilight, P-Sigmoid and G-Search",
          Parameter.choice(
              "score", List.of("last", "text", "raters", "random"), "what tokens are ranked by"),
          Parameter.choice(
              "schedule",
              List.of("fixed", "counts", "geometric", "top-p", "rank", "sigmoid"),
              "how many stay at each site"),
          Parameter.numbers("share", 0, 1, "the schedule's number, one per site or one; unset 0.5"),
          Parameter.counts("count", "tokens per site, for schedule=counts; unset 64"),
          Parameter.layers("layers", "first layers that run pruned; unset 8/16/24 of 32, scaled"),
          Parameter.text(
              "file", "the path of a schedule file", "layers and shares found by search"));
    }

    @Override
    protected boolean writes(Layerwise strategy, String component) {
      boolean counts = strategy.schedule.equals("counts");
      return switch (component) {
        case "schedule", "layers" -> strategy.file.isEmpty();
        case "share" -> strategy.file.isEmpty() && !counts;
        case "count" -> strategy.file.isEmpty() && counts;
        default -> true;
      };
    }
  }
}

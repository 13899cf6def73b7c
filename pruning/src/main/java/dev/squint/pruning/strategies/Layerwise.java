package dev.squint.pruning.strategies;

import dev.squint.pruning.ModelFacts;
import dev.squint.pruning.Observation;
import dev.squint.pruning.Observations;
import dev.squint.pruning.Parameter;
import dev.squint.pruning.PositionPolicy;
import dev.squint.pruning.Selection;
import dev.squint.pruning.Site;
import dev.squint.pruning.SiteContext;
import dev.squint.pruning.SitePlan;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.StrategyException;
import dev.squint.pruning.StrategyProvider;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Measure;
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
 * the row of the last prompt token (FastV), {@code text} the mean over the text behind the picture,
 * {@code raters} the mean over SparseVLM's raters, {@code random} a draw. Where there is no text
 * behind the picture, the last row stands in. Schedules: {@code fixed} shares of the tokens that
 * entered the decoder ({@code share}, one per site or one for all), {@code counts} ({@code count},
 * likewise), {@code geometric} ({@code share} of those alive, at each site), {@code top-p} ({@code
 * share} of the scores), {@code rank} ({@code share} is lambda) and {@code sigmoid} ({@code share}
 * is the mean over all layers, steepness 10, from all down to 2 %).
 *
 * @param score {@code last}, {@code text}, {@code raters} or {@code random}
 * @param schedule the name of the schedule
 * @param shares its numbers; empty for 0.5
 * @param counts numbers of tokens, for {@code counts}; empty for 64
 * @param layers the first layers that run pruned; empty for 8, 16 and 24 of 32, scaled
 * @param file a schedule file, which wins over schedule, shares, counts and layers
 */
public record Layerwise(
    String score,
    String schedule,
    List<Double> shares,
    List<Integer> counts,
    List<Integer> layers,
    Optional<String> file)
    implements Strategy {

  private static final String NAME = "layerwise";
  private static final double HALF = 0.5;
  private static final int TOKENS = 64;
  private static final double STEEP = 10;
  private static final double LOW = 0.02;
  private static final Parameter.Choice SCORE =
      new Parameter.Choice(
          "score", List.of("last", "text", "raters", "random"), "what tokens are ranked by");
  private static final Parameter.Choice SCHEDULE =
      new Parameter.Choice(
          "schedule",
          List.of("fixed", "counts", "geometric", "top-p", "rank", "sigmoid"),
          "how many stay at each site");
  private static final Parameter.Numbers SHARE =
      new Parameter.Numbers("share", 0, 1, "the schedule's number, one per site or one; unset 0.5");
  private static final Parameter.Counts COUNT =
      new Parameter.Counts("count", "tokens per site, for schedule=counts; unset 64");
  private static final Parameter.Layers LAYERS =
      new Parameter.Layers("layers", "first layers that run pruned; unset 8/16/24 of 32, scaled");
  private static final Parameter.Text FILE =
      new Parameter.Text(
          "file", "the path of a schedule file", "layers and shares found by search");
  private static final Expression DOTS = Observe.embeddingSimilarity(Measure.DOT);

  public Layerwise {
    SCORE.check(NAME, score);
    SCHEDULE.check(NAME, schedule);
    shares = SHARE.check(NAME, shares);
    counts = COUNT.check(NAME, counts);
    layers = LAYERS.check(NAME, layers);
    boolean oneNumber = !schedule.equals("fixed") && !schedule.equals("counts");
    if (oneNumber && shares.size() > 1) {
      throw new StrategyException(
          "strategy '%s': schedule=%s takes one share, but %d are given; give one"
              .formatted(NAME, schedule, shares.size()));
    }
    if (shares.contains(0.0) && !schedule.equals("rank")) {
      throw new StrategyException(
          "strategy '%s': share=0 keeps nothing; choose a share above 0, or strategy 'exit'"
              .formatted(NAME));
    }
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String spec() {
    if (file.isPresent()) {
      return NAME + ":score=" + score + ",file=" + file.get();
    }
    String numbers = schedule.equals("counts") ? text(",count=", counts) : text(",share=", shares);
    return NAME + ":score=" + score + ",schedule=" + schedule + numbers + text(",layers=", layers);
  }

  private static String text(String key, List<?> values) {
    return values.isEmpty() ? "" : key + Parameter.Layers.text(values);
  }

  @Override
  public List<SitePlan> plan(ModelFacts model) {
    Optional<ScheduleFile> found = file.map(ScheduleFile::read);
    List<Integer> cuts =
        model
            .decoder()
            .requireCuts(
                NAME, LAYERS.name(), found.map(ScheduleFile::layers).orElse(layers), 8, 16, 24);
    Schedule counted =
        found.<Schedule>map(f -> new Fixed(f.shares())).orElseGet(() -> schedule(model, cuts));
    List<SitePlan> sites = new ArrayList<>();
    for (int k : cuts) {
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

  private Schedule schedule(ModelFacts model, List<Integer> cuts) {
    double share = shares.isEmpty() ? HALF : shares.get(0);
    return switch (schedule) {
      case "counts" -> new Counts(counts.isEmpty() ? List.of(TOKENS) : counts);
      case "geometric" -> new Geometric(share);
      case "top-p" -> new TopP(share);
      case "rank" -> new RankAdaptive(share);
      case "sigmoid" -> Sigmoid.averaging(STEEP, LOW, 1, cuts, model.decoder().layers(), share);
      default -> new Fixed(shares.isEmpty() ? List.of(HALF) : shares);
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

  /** Makes {@link Layerwise}. */
  public static final class Provider extends StrategyProvider {

    /** For the service loader. */
    public Provider() {
      super(
          NAME,
          "ranks visual tokens before chosen layers by a score of choice, on a schedule of choice",
          "schedules of PyramidDrop, SparseVLM, ZipVL, Twilight, P-Sigmoid and G-Search",
          List.of(SCORE, SCHEDULE, SHARE, COUNT, LAYERS, FILE),
          given ->
              new Layerwise(
                  given.get(SCORE),
                  given.get(SCHEDULE),
                  given.get(SHARE),
                  given.get(COUNT),
                  given.get(LAYERS),
                  given.get(FILE)));
    }
  }
}

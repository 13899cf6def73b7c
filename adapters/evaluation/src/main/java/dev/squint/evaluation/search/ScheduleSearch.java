package dev.squint.evaluation.search;

import dev.squint.DataException;
import dev.squint.Squint;
import dev.squint.evaluation.EvaluationListener;
import dev.squint.evaluation.Setting;
import dev.squint.evaluation.SettingException;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.PromptStyle;
import dev.squint.evaluation.internal.AccuracyPass;
import dev.squint.evaluation.internal.Draw;
import dev.squint.evaluation.internal.ModelRunner;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.evaluation.internal.SquintRunner;
import dev.squint.evaluation.metrics.Metric;
import dev.squint.evaluation.metrics.MetricSet;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.schedules.GSearch;
import dev.squint.pruning.schedules.ScheduleFile;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.strategies.decoder.Layerwise;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Finds on questions with known answers how few visual tokens each layer needs ({@link GSearch}).
 * Questions are read, put and scored as in a comparison; an answer is right where its score is one
 * half or more.
 *
 * <pre>{@code
 * ScheduleSearch.Result found =
 *     ScheduleSearch.of(DataSets.read(Path.of("questions"))).maxDrop(1.0).build().run(squint);
 * }</pre>
 */
public final class ScheduleSearch {

  private static final String NAME = "layerwise";
  private static final double ROUNDING = 1e-9;

  private final DataSet data;
  private final Metric metric;
  private final int[] drawn;
  private final double maxDrop;
  private final List<Integer> layers;
  private final String score;
  private final long seed;
  private final int maxNewTokens;
  private final EvaluationListener listener;

  private ScheduleSearch(Builder plan) {
    this.data = plan.style.applied(plan.data);
    this.metric = MetricSet.of(plan.data, Optional.empty()).plotted();
    this.drawn = Draw.of(data.samples().size(), OptionalInt.of(plan.limit), plan.seed);
    this.maxDrop = plan.maxDrop;
    this.layers = plan.layers;
    this.score = plan.score;
    this.seed = plan.seed;
    this.maxNewTokens = plan.maxNewTokens;
    this.listener = plan.listener;
    if (!metric.tellsRightFromWrong()) {
      throw new DataException(
          "%s holds captions, which are not right or wrong; give questions with answers"
              .formatted(data.name()));
    }
    checkImages();
  }

  private void checkImages() {
    for (int question : drawn) {
      if (data.samples().get(question).medium() instanceof MediaSource.ImageFile image
          && image.file().getFileSystem() == FileSystems.getDefault()
          && !Files.isRegularFile(image.file())) {
        throw new DataException(
            "no such image: %s; put it there or leave its questions out".formatted(image.file()));
      }
    }
  }

  /** Starts to say how a schedule is searched on a data set. */
  public static Builder of(DataSet data) {
    return new Builder(data);
  }

  /**
   * What was found.
   *
   * @param schedule layers and shares
   * @param right questions that are answered right with it
   * @param unpruned questions that are answered right without pruning
   * @param questions questions asked
   * @param prefillLeft share of the unpruned FLOPs of the prefill
   */
  public record Result(
      ScheduleFile schedule, int right, int unpruned, int questions, double prefillLeft) {}

  /**
   * Searches.
   *
   * @param squint the model that is asked
   * @return the schedule and what it loses
   * @throws DataException if a question gets no answer, or none the right one even unpruned
   * @throws dev.squint.error.StrategyException if a layer is not one of the model's
   */
  public Result run(Squint squint) {
    ModelShape facts = squint.facts();
    List<Integer> splits = facts.decoder().requireSplits(NAME, layers, 2, 8, 16, 24);
    GSearch search = new GSearch(splits, facts.visualTokens());
    Asking asking = new Asking(new SquintRunner(squint, "", seed, maxNewTokens));
    int total = drawn.length;
    listener.said(text("asking %d questions unpruned", total));
    listener.started("search", (search.trials() + 2L) * total);
    try {
      int unpruned = asking.ask(Strategies.parse("none"), Integer.MAX_VALUE).right();
      if (unpruned == 0) {
        throw new DataException(
            "%s gets none of %d questions of %s right even unpruned, so there is nothing to lose; check that they fit the model"
                .formatted(facts.name(), total, data.name()));
      }
      int needed = needed(unpruned);
      ScheduleFile found =
          search.search((schedule, standing) -> asking.holds(schedule, standing, needed));
      listener.resized(asking.asked + total);
      Trial last = asking.ask(pruned(score, found), Integer.MAX_VALUE);
      return new Result(found, last.right(), unpruned, total, last.prefillLeft());
    } finally {
      listener.ended();
    }
  }

  /** How many right answers a schedule needs. */
  private int needed(int unpruned) {
    int total = drawn.length;
    int needed = (int) Math.max(0, Math.ceil(unpruned - maxDrop * total / 100 - ROUNDING));
    listener.said(
        text("unpruned: %d of %d questions right; a schedule needs %d", unpruned, total, needed));
    if (needed == unpruned && maxDrop > 0) {
      listener.said(
          text(
              "one question of %d weighs %.1f points, more than the %s that may be lost: none may be; ask more questions",
              total, 100.0 / total, maxDrop));
    }
    return needed;
  }

  private static Strategy pruned(String score, ScheduleFile schedule) {
    return new Layerwise(
        score, "fixed", schedule.shares(), List.of(), schedule.layers(), Optional.empty());
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /** One trial after another, with the time that is left. */
  private final class Asking {

    private final ModelRunner runner;
    private final long start = System.nanoTime();
    private long asked;

    Asking(ModelRunner runner) {
      this.runner = runner;
    }

    /** Asks until it is certain whether enough answers are right. */
    Trial ask(Strategy strategy, int needed) {
      Trial trial = new Trial(data.samples(), metric, drawn.length, needed);
      new AccuracyPass(runner, data.samples(), trial, trial::isSettled, listener)
          .ask(List.of(RunConfig.of(strategy)), drawn, 1, 1);
      asked += trial.answered();
      return trial;
    }

    boolean holds(ScheduleFile schedule, GSearch.Standing standing, int needed) {
      boolean holds = ask(pruned(score, schedule), needed).right() >= needed;
      long left = (standing.left() + 1L) * drawn.length;
      listener.resized(asked + left);
      listener.said(
          text(
              "layer %d: %d tokens %s; at most %s left",
              standing.layer(),
              standing.count(),
              holds ? "are enough" : "are too few",
              clock((System.nanoTime() - start) / 1e9 / Math.max(1, asked) * left)));
      return holds;
    }

    private static String clock(double seconds) {
      Duration time = Duration.ofSeconds(Math.round(seconds));
      return text("%d:%02d:%02d", time.toHours(), time.toMinutesPart(), time.toSecondsPart());
    }
  }

  /** Says how a schedule is searched; each setting is checked when it is given. */
  public static final class Builder {

    private final DataSet data;
    private double maxDrop = 1;
    private List<Integer> layers = List.of();
    private String score = "last";
    private int limit = 200;
    private long seed;
    private int maxNewTokens = 16;
    private PromptStyle style = new PromptStyle.Bare();
    private EvaluationListener listener = EvaluationListener.none();

    private Builder(DataSet data) {
      this.data = Objects.requireNonNull(data, "data");
    }

    /** Sets how many points of accuracy may be lost; 1 unless said. */
    public Builder maxDrop(double points) {
      if (!(points >= 0 && points <= 100)) {
        throw new SettingException(
            "%s %s is no number of points; choose 0 to 100", Setting.MAX_DROP, points);
      }
      maxDrop = points;
      return this;
    }

    /**
     * Sets the layers before which tokens may leave; 2, 8, 16 and 24 of 32, scaled, unless said.
     */
    public Builder layers(int... before) {
      layers = Arrays.stream(before).distinct().sorted().boxed().toList();
      return this;
    }

    /** Sets what tokens are ranked by, as {@link Layerwise} names it; {@code last} unless said. */
    public Builder score(String name) {
      score = name;
      return this;
    }

    /** Asks so many questions, drawn at random; 200 unless said. */
    public Builder limit(int questions) {
      if (questions < 1) {
        throw new SettingException(
            "%s %d leaves no question; choose 1 or more", Setting.LIMIT, questions);
      }
      limit = questions;
      return this;
    }

    /** Sets the seed of the draw; 0 unless said. */
    public Builder seed(long value) {
      seed = value;
      return this;
    }

    /** Ends answers after so many tokens; 16 unless said. */
    public Builder maxNewTokens(int tokens) {
      if (tokens < 1) {
        throw new SettingException(
            "%s %d leaves no room for an answer; choose 1 or more", Setting.MAX_NEW_TOKENS, tokens);
      }
      maxNewTokens = tokens;
      return this;
    }

    /** Puts questions in a style; as the data set has them unless said. */
    public Builder promptStyle(PromptStyle put) {
      style = Objects.requireNonNull(put, "put");
      return this;
    }

    /** Sets who is told how it goes on. */
    public Builder listener(EvaluationListener told) {
      listener = Objects.requireNonNull(told, "told");
      return this;
    }

    /**
     * Makes the search; nothing is asked yet.
     *
     * @throws DataException if an image of the drawn questions is missing, or answers are not right
     *     or wrong
     * @throws dev.squint.error.StrategyException if score or layers cannot be used on any model
     */
    public ScheduleSearch build() {
      pruned(score, new ScheduleFile(layers, List.of()));
      return new ScheduleSearch(this);
    }
  }
}

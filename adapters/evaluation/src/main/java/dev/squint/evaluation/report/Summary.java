package dev.squint.evaluation.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A comparison in figures, written as {@code summary.json}. Everything that a clock, the memory or
 * the machine decided lies under {@code machine}, {@code measured} and in {@code notes}; the rest
 * is the same in every run with the same seed.
 *
 * @param run what was run
 * @param machine where it ran
 * @param configs one per strategy, budget and seed, the unpruned model first
 * @param spreads random selection over its seeds, one per budget
 * @param discordant how any two configurations differ; absent where scores are not of right and
 *     wrong
 * @param notes what a reader should know besides, one sentence each
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record Summary(
    Run run,
    Machine machine,
    @JsonProperty("cells") List<RunSummary> configs,
    List<Spread> spreads,
    Optional<Discordant> discordant,
    List<String> notes) {

  /**
   * What was run.
   *
   * @param model the model's name
   * @param modelHash SHA-256 over its files
   * @param data the data set's name
   * @param format its format
   * @param dataHash SHA-256 over its questions and answers
   * @param metric the metric that the plots show
   * @param questions questions asked of each configuration
   * @param available questions that the data set has
   * @param skipped records that could not be used
   * @param seed seed of the draw and of random selection
   * @param maxNewTokens longest answer
   * @param visualTokens visual tokens of an unpruned image; 0 for a service
   * @param layers decoder layers; 0 for a service
   * @param promptTemplate how a question is put; empty for a service
   * @param promptSuffix the sentence after each question; empty if there is none, as before there
   *     were any
   * @param exceedsOne whether the metric is no share, as CIDEr; it is shown times 100 without a
   *     percent sign
   */
  public record Run(
      String model,
      String modelHash,
      String data,
      String format,
      String dataHash,
      String metric,
      int questions,
      int available,
      @JsonProperty("defects") int skipped,
      long seed,
      int maxNewTokens,
      int visualTokens,
      int layers,
      String promptTemplate,
      String promptSuffix,
      boolean exceedsOne) {

    /** Takes a report from before there were suffixes. */
    public Run {
      promptSuffix = Objects.requireNonNullElse(promptSuffix, "");
    }
  }

  /**
   * Where it ran.
   *
   * @param processor the processor's name
   * @param cores cores that Java sees
   * @param memoryBytes physical memory
   * @param os operating system and version
   * @param java version of Java
   * @param runtime version of ONNX Runtime
   * @param squint version of Squint
   * @param provider execution provider
   * @param threads threads of the runtime's pool
   */
  public record Machine(
      String processor,
      int cores,
      long memoryBytes,
      String os,
      String java,
      String runtime,
      String squint,
      String provider,
      int threads) {}

  /**
   * A strategy at a budget with a seed.
   *
   * @param id unique name, such as {@code fastv:k=2,keep=0.5} or {@code random:keep=0.5 seed 1}
   * @param series what it is a point of, such as {@code fastv:k=2}
   * @param spec the strategy as a spec; {@code none} for resized images
   * @param keep the retention ratio asked for, absent where the strategy has a budget of its own
   * @param seed number of the seed for random selection, else 0
   * @param refused why the strategy cannot run at all; then all else is empty
   * @param errors questions that failed
   * @param scores all metrics by name, the plotted one among them
   * @param byType the plotted metric by question type; empty where the data names no types
   * @param against compared with the unpruned model on the same questions
   * @param cost what it takes by count
   * @param measured what it takes by the clock; absent where times were not measured
   */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record RunSummary(
      String id,
      String series,
      String spec,
      Optional<Double> keep,
      long seed,
      Optional<String> refused,
      int errors,
      Map<String, Score> scores,
      Map<String, Score> byType,
      Optional<Against> against,
      Optional<Cost> cost,
      Optional<Measured> measured) {}

  /**
   * A score with its 95 % interval.
   *
   * @param value the score; a share for accuracies
   * @param correct sum of the questions' scores: how many are right, where that is what they tell
   * @param total questions
   * @param low lower end of the interval
   * @param high upper end
   */
  public record Score(double value, double correct, int total, double low, double high) {}

  /**
   * A figure with its 95 % interval.
   *
   * @param value the figure
   * @param low lower end of the interval
   * @param high upper end
   */
  public record Estimate(double value, double low, double high) {}

  /**
   * Compared with the unpruned model, question by question.
   *
   * @param relative score over the unpruned score; absent where that is 0, or so often is in
   *     resamples that the interval has no end
   * @param drop unpruned score minus score, as a share
   * @param loyalty share of answers that equal the unpruned one
   * @param onlyUnpruned questions that only the unpruned model gets right; absent, with all that
   *     follow, where scores are not of right and wrong
   * @param onlyPruned questions that only this configuration gets right
   * @param p McNemar's exact two-sided p-value
   */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record Against(
      Optional<Estimate> relative,
      Estimate drop,
      Score loyalty,
      Optional<Integer> onlyUnpruned,
      Optional<Integer> onlyPruned,
      Optional<Double> p) {}

  /**
   * The questions that only one of two configurations gets right, from which McNemar's test of any
   * two configurations comes.
   *
   * @param configs ids of the configurations that ran
   * @param wins for each of them a row: how many questions it gets right that each of the others,
   *     in the same order, gets wrong
   */
  public record Discordant(@JsonProperty("cells") List<String> configs, List<List<Integer>> wins) {}

  /**
   * Means over the questions.
   *
   * @param keptTokens visual tokens after the last site
   * @param leastTokens the fewest of any question
   * @param mostTokens the most of any question
   * @param averageTokens visual tokens averaged over layers
   * @param visionFlops vision tower and projector
   * @param prefillFlops prefill, exact
   * @param decodeFlops decoding, exact
   * @param prefillLeft share of the unpruned prefill FLOPs
   * @param flopsLeft share of the unpruned FLOPs of vision, prefill and decoding together
   * @param paperLeft share of the unpruned prefill by the formula of each paper
   * @param kvBytes KV cache at the end of an answer
   * @param kvLeft share of the unpruned KV cache
   */
  public record Cost(
      double keptTokens,
      int leastTokens,
      int mostTokens,
      double averageTokens,
      double visionFlops,
      double prefillFlops,
      double decodeFlops,
      double prefillLeft,
      double flopsLeft,
      Map<String, Double> paperLeft,
      double kvBytes,
      double kvLeft) {}

  /**
   * Times of single requests, configurations taken in turns.
   *
   * @param requests requests timed
   * @param visionMillis image to features
   * @param prefillMillis features to the first logits, selection included
   * @param selectionMillis deciding what to keep
   * @param decodeMillis a generated token
   * @param totalMillis image file to answer
   * @param speedup unpruned over pruned prefill, medians, with the interval of resampled requests
   * @param predicted the same by FLOPs
   * @param totalSpeedup unpruned over pruned from image file to answer, likewise
   * @param load under several callers, in ascending order
   * @param peakBytes most resident memory of a process of its own that loads the model and answers
   *     one question; absent where the system does not tell
   * @param joules energy of the processor per answer under load; absent where the system does not
   *     tell
   */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record Measured(
      int requests,
      Spent visionMillis,
      Spent prefillMillis,
      Spent selectionMillis,
      Spent decodeMillis,
      Spent totalMillis,
      Estimate speedup,
      double predicted,
      Estimate totalSpeedup,
      List<Load> load,
      Optional<Long> peakBytes,
      Optional<Double> joules) {}

  /**
   * A time in milliseconds.
   *
   * @param median half of the requests took no longer
   * @param p95 19 of 20 took no longer
   */
  public record Spent(double median, double p95) {}

  /**
   * Throughput under load.
   *
   * @param callers callers at once
   * @param answersPerSecond answers of all callers
   * @param medianMillis time of a request
   * @param p95Millis 19 of 20 took no longer
   */
  public record Load(int callers, double answersPerSecond, double medianMillis, double p95Millis) {}

  /**
   * Random selection over its seeds.
   *
   * @param keep the retention ratio
   * @param seeds number of seeds
   * @param mean mean of the scores
   * @param least the lowest
   * @param most the highest
   * @param deviation their standard deviation (of a sample)
   */
  public record Spread(
      double keep, int seeds, double mean, double least, double most, double deviation) {}
}

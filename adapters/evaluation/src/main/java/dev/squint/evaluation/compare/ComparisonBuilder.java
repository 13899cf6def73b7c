package dev.squint.evaluation.compare;

import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.evaluation.Answerer;
import dev.squint.evaluation.EvaluationListener;
import dev.squint.evaluation.Setting;
import dev.squint.evaluation.SettingException;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.PromptStyle;
import dev.squint.evaluation.data.Task;
import dev.squint.evaluation.internal.ServiceRunner;
import dev.squint.evaluation.internal.SquintRunner;
import dev.squint.pruning.Strategy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleFunction;

/**
 * Says what a {@link Comparison} compares. Needed are a model or a service, and an output folder;
 * each setting is checked when it is given.
 */
public final class ComparisonBuilder {

  private static final int SHORT = 16;
  private static final int CAPTION = 64;

  /** Each worker holds an image and its native memory. */
  private static final int MOST_WORKERS = 256;

  final List<String> specs = new ArrayList<>();
  final Map<String, DoubleFunction<Strategy>> families = new LinkedHashMap<>();
  final List<Strategy> strategies = new ArrayList<>();
  List<Double> keep = List.of(0.75, 0.5, 0.25, 0.1, 0.05);
  int seeds = 3;
  OptionalInt limit = OptionalInt.empty();
  long seed;
  int workers = 1;
  Optional<String> metric = Optional.empty();
  int timedRequests;
  int memoryProcesses;
  int threads;
  Path output;
  EvaluationListener listener = EvaluationListener.none();
  BooleanSupplier stop = () -> false;

  private final DataSet data;
  private PromptStyle style = new PromptStyle.Bare();
  private OptionalInt maxNewTokens = OptionalInt.empty();
  private Squint squint;
  private ModelOptions options;
  private String serviceName;
  private String serviceVersion;
  private Answerer answerer;

  ComparisonBuilder(DataSet data) {
    this.data = Objects.requireNonNull(data, "data");
  }

  /**
   * Asks a model. It stays the caller's to close.
   *
   * @param loaded the model, best with as many splits kept as there are configurations
   * @param loadOptions how it was loaded
   */
  public ComparisonBuilder model(Squint loaded, ModelOptions loadOptions) {
    squint = Objects.requireNonNull(loaded, "loaded");
    options = loadOptions;
    threads = loadOptions.threads();
    answerer = null;
    return this;
  }

  /**
   * Asks somebody's own service.
   *
   * @param name what to call it
   * @param version changes whenever its answers may, so that old answers are not taken for new
   * @param service the service
   */
  public ComparisonBuilder service(String name, String version, Answerer service) {
    serviceName = Objects.requireNonNull(name, "name");
    serviceVersion = Objects.requireNonNull(version, "version");
    answerer = Objects.requireNonNull(service, "service");
    squint = null;
    threads = 0;
    return this;
  }

  /**
   * Adds strategies by their specs. One that takes {@code keep} and leaves it out gets a
   * configuration per ratio; {@code {keep}} and {@code {tokens}} stand for the ratio and the number
   * of tokens elsewhere.
   */
  public ComparisonBuilder specs(String... more) {
    Arrays.stream(more).map(String::strip).filter(spec -> !spec.isEmpty()).forEach(specs::add);
    return this;
  }

  /** Adds a strategy as it stands. */
  public ComparisonBuilder strategy(Strategy strategy) {
    strategies.add(Objects.requireNonNull(strategy, "strategy"));
    return this;
  }

  /**
   * Adds a strategy at every ratio.
   *
   * @param series what to call it, such as {@code mine:k=2}
   * @param atRatio makes the strategy for a ratio
   */
  public ComparisonBuilder strategy(String series, DoubleFunction<Strategy> atRatio) {
    families.put(series, atRatio);
    return this;
  }

  /** Sets the retention ratios. */
  public ComparisonBuilder keep(double... ratios) {
    if (ratios.length == 0) {
      throw new SettingException("%s is empty; give ratios such as 0.5,0.25", Setting.KEEP);
    }
    keep = Arrays.stream(ratios).boxed().toList();
    return this;
  }

  /** Sets how often random selection is drawn; 3 unless said. */
  public ComparisonBuilder seeds(int draws) {
    seeds = draws;
    return this;
  }

  /** Sets the seed of the draw of questions and of random selection; 0 unless said. */
  public ComparisonBuilder seed(long value) {
    seed = value;
    return this;
  }

  /** Asks so many questions, drawn at random; all unless said. */
  public ComparisonBuilder limit(int questions) {
    if (questions < 1) {
      throw new SettingException(
          "%s %d leaves no question; choose 1 or more", Setting.LIMIT, questions);
    }
    limit = OptionalInt.of(questions);
    return this;
  }

  /** Asks so many questions at once; 1 unless said. */
  public ComparisonBuilder workers(int atOnce) {
    if (atOnce < 1) {
      throw new SettingException("%s %d asks nothing; choose 1 or more", Setting.WORKERS, atOnce);
    }
    if (atOnce > MOST_WORKERS) {
      throw new SettingException(
          "%s %d is more than Squint starts; choose 1 to %d",
          Setting.WORKERS, atOnce, MOST_WORKERS);
    }
    workers = atOnce;
    return this;
  }

  /** Ends answers after so many tokens; 16 unless said, for captions 64. */
  public ComparisonBuilder maxNewTokens(int tokens) {
    if (tokens < 1) {
      throw new SettingException(
          "%s %d leaves no room for an answer; choose 1 or more", Setting.MAX_NEW_TOKENS, tokens);
    }
    maxNewTokens = OptionalInt.of(tokens);
    return this;
  }

  /** Plots another metric than the usual one of the data set's task. */
  public ComparisonBuilder metric(String name) {
    metric = Optional.of(name);
    return this;
  }

  /** Puts questions in a style; as the data set has them unless said. */
  public ComparisonBuilder promptStyle(PromptStyle put) {
    style = Objects.requireNonNull(put, "put");
    return this;
  }

  /** Times so many requests of each configuration, alone and under load; none unless said. */
  public ComparisonBuilder timedRequests(int requests) {
    if (requests < 0) {
      throw new SettingException(
          "%s %d is no number of requests; choose 0 or more", Setting.TIMED, requests);
    }
    timedRequests = requests;
    return this;
  }

  /**
   * Measures, where requests are timed, also the memory of each configuration of a model: in Java
   * processes of its own with this one's class path, so many at once; none unless said.
   */
  public ComparisonBuilder memoryProcesses(int atOnce) {
    memoryProcesses = atOnce;
    return this;
  }

  /** Sets the folder of results and report: a new one, or that of an earlier run to go on with. */
  public ComparisonBuilder output(Path folder) {
    output = Objects.requireNonNull(folder, "folder");
    return this;
  }

  /** Sets who is told how it goes on. */
  public ComparisonBuilder listener(EvaluationListener told) {
    listener = Objects.requireNonNull(told, "told");
    return this;
  }

  /** Sets what is looked at before each question: whether to end there. */
  public ComparisonBuilder stopWhen(BooleanSupplier wanted) {
    stop = Objects.requireNonNull(wanted, "wanted");
    return this;
  }

  /**
   * Makes the comparison; nothing is asked yet. The builder is used up.
   *
   * @throws SettingException if what is needed was not given
   */
  public Comparison build() {
    if (output == null) {
      throw new SettingException("%s is missing; name a folder", Setting.OUTPUT);
    }
    if (squint == null && answerer == null) {
      throw new SettingException("there is nothing to compare; give a model or a service");
    }
    return new Comparison(
        this,
        style.applied(data),
        style.sentence(data.task()),
        squint == null
            ? new ServiceRunner(serviceName, serviceVersion, answerer, seed, longest())
            : new SquintRunner(squint, options.precision(), seed, longest()));
  }

  int longest() {
    return maxNewTokens.orElse(data.task() == Task.CAPTION ? CAPTION : SHORT);
  }

  /** A model is compared in any case, with the baselines; a service where strategies are given. */
  boolean comparesStrategies() {
    return squint != null || !specs.isEmpty() || !families.isEmpty() || !strategies.isEmpty();
  }

  Optional<PeakMemoryProbe> probe() {
    return squint == null
        ? Optional.empty()
        : Optional.of(new PeakMemoryProbe(squint, options, longest()));
  }
}

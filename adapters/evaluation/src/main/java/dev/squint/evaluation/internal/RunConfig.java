package dev.squint.evaluation.internal;

import dev.squint.pruning.Strategy;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * A strategy at a budget with a seed: one point of the comparison.
 *
 * @param id unique name, the key of its lines in {@code results.jsonl}
 * @param series what it is a point of
 * @param strategy what prunes
 * @param keep the retention ratio asked for, empty where the strategy has a budget of its own
 * @param seed which draw of random selection this is, else 0
 * @param grid the grid that the image is resized to, if that is how tokens are saved
 */
public record RunConfig(
    String id,
    String series,
    Strategy strategy,
    OptionalDouble keep,
    long seed,
    Optional<Grid> grid) {

  /** Checks that the names and the strategy are there. */
  public RunConfig {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(series, "series");
    Objects.requireNonNull(strategy, "strategy");
  }

  /** A strategy as it stands, without a ratio. */
  public static RunConfig of(Strategy strategy) {
    String spec = strategy.spec();
    return new RunConfig(spec, spec, strategy, OptionalDouble.empty(), 0, Optional.empty());
  }

  /**
   * Rows and columns of visual tokens.
   *
   * @param rows from top to bottom
   * @param columns from left to right
   */
  public record Grid(int rows, int columns) {}

  /** Seed of a request: another one for each question and draw. */
  public long seedOf(long runSeed, int question) {
    return (runSeed * 1_000_003 + seed) * 1_000_003 + question;
  }
}

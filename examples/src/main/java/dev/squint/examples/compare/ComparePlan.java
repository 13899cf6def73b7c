package dev.squint.examples.compare;

import dev.squint.adapters.DataException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What is compared, and how.
 *
 * @param strategies specs separated by semicolons
 * @param keeps retention ratios
 * @param seeds draws of random selection
 * @param limit questions asked at most, drawn at random; empty for all
 * @param seed seed of the draw and of random selection
 * @param workers questions at once
 * @param isSmall whether several processes with the model fit into memory
 * @param cutsKept cuts of the decoder that the model keeps loaded
 * @param maxNewTokens longest answer
 * @param metric name of the metric to plot, if not the usual
 * @param timedRequests requests timed of each cell; 0 to time nothing
 * @param out report folder
 */
public record ComparePlan(
    String strategies,
    List<Double> keeps,
    int seeds,
    OptionalInt limit,
    long seed,
    int workers,
    boolean isSmall,
    int cutsKept,
    int maxNewTokens,
    Optional<String> metric,
    int timedRequests,
    Path out) {

  /** Each worker holds a picture and its native memory. */
  private static final int MOST_WORKERS = 256;

  /** Checks the numbers. */
  public ComparePlan {
    keeps = List.copyOf(keeps);
    if (keeps.isEmpty()) {
      throw new DataException("--keep is empty; give retention ratios such as 0.5,0.25");
    }
    if (limit.isPresent() && limit.getAsInt() < 1) {
      throw new DataException(
          "--limit %d leaves no question; choose 1 or more".formatted(limit.getAsInt()));
    }
    if (workers < 1) {
      throw new DataException("--workers %d asks nothing; choose 1 or more".formatted(workers));
    }
    if (workers > MOST_WORKERS) {
      throw new DataException(
          "--workers %d is more than Squint starts; choose 1 to %d"
              .formatted(workers, MOST_WORKERS));
    }
    if (maxNewTokens < 1) {
      throw new DataException(
          "--max-new-tokens %d leaves no room for an answer; choose 1 or more"
              .formatted(maxNewTokens));
    }
    if (timedRequests < 0) {
      throw new DataException(
          "--timed %d is no number of requests; choose 0 or more".formatted(timedRequests));
    }
  }
}

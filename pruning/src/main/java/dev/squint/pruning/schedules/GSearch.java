package dev.squint.pruning.schedules;

import dev.squint.error.StrategyException;
import java.util.ArrayList;
import java.util.List;

/**
 * G-Search: the fewest visual tokens per layer that a set of questions allows, found layer by layer
 * from shallow to deep (its abstract was read, not its code).
 *
 * <p>It rests on the finding that attention ranks visual tokens alike in all layers but the first,
 * so that what one layer can do without the layers after it can, too. At each layer a binary search
 * looks for the least count, at most that of the layer before, that still holds; deeper layers take
 * the same count for the moment. Where quality does not fall evenly with the count, the result is a
 * count that holds, not the least one.
 *
 * @param layers the first layers that run pruned, ascending from 1
 * @param tokens visual tokens of an image, at least 1; counts are shares of these
 */
public record GSearch(List<Integer> layers, int tokens) {

  public GSearch {
    layers = List.copyOf(layers);
    if (layers.isEmpty() || tokens < 1) {
      throw new StrategyException(
          "a search needs a layer and a visual token, not %s and %d".formatted(layers, tokens));
    }
  }

  /** Tries schedules. */
  @FunctionalInterface
  public interface Trials {

    /**
     * Tries one.
     *
     * @param schedule shares for all layers of the search
     * @param standing how far the search is
     * @return whether it is good enough
     */
    boolean hold(ScheduleFile schedule, Standing standing);
  }

  /**
   * How far a search is.
   *
   * @param layer the layer that is tried
   * @param count tokens tried there
   * @param done trials before this one
   * @param left trials after this one, at most
   */
  public record Standing(int layer, int count, int done, int left) {}

  /**
   * Searches.
   *
   * @param trials tells which schedules are good enough; the one that keeps all is taken to be
   * @return the schedule, without layers at which no token leaves; if none leaves anywhere, the
   *     first layer with a share of 1
   */
  public ScheduleFile search(Trials trials) {
    List<Integer> counts = new ArrayList<>();
    int most = tokens;
    int done = 0;
    for (int site = 0; site < layers.size(); site++) {
      int least = 1;
      while (least < most) {
        int middle = (least + most) >>> 1;
        int left = steps(Math.max(middle - least + 1, most - middle)) + rest(site, most);
        Standing standing = new Standing(layers.get(site), middle, done++, left);
        if (trials.hold(schedule(counts, middle), standing)) {
          most = middle;
        } else {
          least = middle + 1;
        }
      }
      counts.add(most);
    }
    return withoutIdle(counts);
  }

  /**
   * How many trials a search takes.
   *
   * @return trials at most
   */
  public int trials() {
    return steps(tokens) * layers.size();
  }

  private int rest(int site, int most) {
    return steps(most) * (layers.size() - 1 - site);
  }

  /** Halvings that leave one of so many counts. */
  private static int steps(int counts) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(counts - 1);
  }

  private ScheduleFile schedule(List<Integer> found, int deeper) {
    List<Double> shares = new ArrayList<>();
    for (int site = 0; site < layers.size(); site++) {
      shares.add(share(site < found.size() ? found.get(site) : deeper));
    }
    return new ScheduleFile(layers, shares);
  }

  private ScheduleFile withoutIdle(List<Integer> counts) {
    List<Integer> splits = new ArrayList<>();
    List<Double> shares = new ArrayList<>();
    int alive = tokens;
    for (int site = 0; site < layers.size(); site++) {
      if (counts.get(site) < alive) {
        alive = counts.get(site);
        splits.add(layers.get(site));
        shares.add(share(alive));
      }
    }
    return splits.isEmpty()
        ? new ScheduleFile(layers.subList(0, 1), List.of(1.0))
        : new ScheduleFile(splits, shares);
  }

  private double share(int count) {
    return (double) count / tokens;
  }
}

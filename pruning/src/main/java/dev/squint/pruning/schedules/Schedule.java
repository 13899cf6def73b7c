package dev.squint.pruning.schedules;

/** How many visual tokens stay at each of a strategy's sites. Immutable. */
public interface Schedule {

  /**
   * Counts.
   *
   * @param step where, and what is known there
   * @return how many of the tokens alive stay; what is out of range is taken as the nearest of 1
   *     and all
   */
  int keep(Step step);

  /**
   * A site as a schedule sees it.
   *
   * @param site the site, counted from 0
   * @param layer the first decoder layer that runs pruned
   * @param layers layers of the decoder
   * @param entered visual tokens that entered the decoder
   * @param scores one per visual token alive, higher is better
   * @param attention what the scores were made of: rows of attention to the tokens alive; may be
   *     empty
   */
  record Step(int site, int layer, int layers, int entered, float[] scores, float[][] attention) {

    /** Visual tokens alive. */
    public int alive() {
      return scores.length;
    }

    /**
     * How many stay.
     *
     * @param schedule the schedule
     * @return 1 to {@link #alive()}
     */
    public int kept(Schedule schedule) {
      return Math.max(1, Math.min(schedule.keep(this), alive()));
    }
  }
}

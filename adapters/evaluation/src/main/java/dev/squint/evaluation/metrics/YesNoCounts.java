package dev.squint.evaluation.metrics;

/**
 * POPE's figures over a set, from counts. The yes ratio is that of the answers, which shows a model
 * that leans to yes; lmms-eval takes it from the truth, which cannot.
 *
 * @param yesRight objects that are there and were seen
 * @param yesWrong objects that are not there and were seen
 * @param noRight objects that are not there and were not seen
 * @param noWrong objects that are there and were not seen
 */
public record YesNoCounts(int yesRight, int yesWrong, int noRight, int noWrong) {

  /** Nothing counted. */
  public static YesNoCounts none() {
    return new YesNoCounts(0, 0, 0, 0);
  }

  /**
   * These counts and one more question.
   *
   * @param yes whether the answer was yes
   * @param right whether that is right
   */
  public YesNoCounts with(boolean yes, boolean right) {
    return new YesNoCounts(
        yesRight + (yes && right ? 1 : 0),
        yesWrong + (yes && !right ? 1 : 0),
        noRight + (!yes && right ? 1 : 0),
        noWrong + (!yes && !right ? 1 : 0));
  }

  /** Share of right answers. */
  public double accuracy() {
    return share(yesRight + noRight, yesRight + yesWrong + noRight + noWrong);
  }

  /** Share of right ones among the answers yes. */
  public double precision() {
    return share(yesRight, yesRight + yesWrong);
  }

  /** Share of the objects that are there that were seen. */
  public double recall() {
    return share(yesRight, yesRight + noWrong);
  }

  /** Harmonic mean of precision and recall. */
  public double f1() {
    return share(2 * yesRight, 2 * yesRight + yesWrong + noWrong);
  }

  /** Share of the answers that are yes. */
  public double yesRatio() {
    return share(yesRight + yesWrong, yesRight + yesWrong + noRight + noWrong);
  }

  private static double share(int part, int whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }
}

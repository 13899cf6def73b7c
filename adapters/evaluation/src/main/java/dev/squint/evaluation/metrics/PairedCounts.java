package dev.squint.evaluation.metrics;

import java.util.Optional;

/**
 * How often two settings got the same questions right: the four-fold table that intervals of their
 * difference and ratio come from. Unlike a bootstrap, these stay wide where few or no questions
 * tell the two apart.
 *
 * @param both questions that both get right
 * @param onlyFirst questions that only the first gets right
 * @param onlySecond questions that only the second gets right
 * @param neither questions that both get wrong
 */
public record PairedCounts(int both, int onlyFirst, int onlySecond, int neither) {

  /**
   * Counts.
   *
   * @param first scores of one setting, one per question
   * @param second scores of the other on the same questions
   * @return nothing where a score is neither 0 nor 1
   */
  public static Optional<PairedCounts> of(double[] first, double[] second) {
    int[] counts = new int[4];
    for (int i = 0; i < first.length; i++) {
      if ((first[i] != 0 && first[i] != 1) || (second[i] != 0 && second[i] != 1)) {
        return Optional.empty();
      }
      counts[2 * (int) first[i] + (int) second[i]]++;
    }
    return Optional.of(new PairedCounts(counts[3], counts[2], counts[1], counts[0]));
  }

  private int first() {
    return both + onlyFirst;
  }

  private int second() {
    return both + onlySecond;
  }

  private int total() {
    return both + onlyFirst + onlySecond + neither;
  }

  /**
   * The 95 % interval of the first share minus the second: method 10 of Newcombe, Statistics in
   * Medicine 17 (1998), pages 2635 to 2650, Wilson's intervals joined by the corrected correlation.
   *
   * @return within -1 to 1; all of it without questions
   */
  public Interval difference() {
    if (total() == 0) {
      return new Interval(-1, 1);
    }
    double n = total();
    double share = first() / n;
    double other = second() / n;
    Interval own = Wilson.of(first(), total());
    Interval others = Wilson.of(second(), total());
    double correlation = correlation();
    double difference = (onlyFirst - onlySecond) / n;
    return new Interval(
        difference - joined(share - own.low(), others.high() - other, correlation),
        difference + joined(own.high() - share, other - others.low(), correlation));
  }

  private double correlation() {
    double margins =
        (double) first() * (total() - first()) * second() * (double) (total() - second());
    double determinant = (double) both * neither - (double) onlyFirst * onlySecond;
    double corrected = determinant > 0 ? Math.max(0, determinant - total() / 2.0) : determinant;
    return margins == 0 ? 0 : corrected / Math.sqrt(margins);
  }

  private static double joined(double one, double other, double correlation) {
    return Math.sqrt(Math.max(0, one * one - 2 * correlation * one * other + other * other));
  }

  /**
   * The 95 % interval of the first share over the second: hybrid score interval of Bonett and
   * Price, Statistics in Medicine 25 (2006), pages 3039 to 3047, over the questions that one of
   * them gets right.
   *
   * @return nothing where the second gets none right
   */
  public Optional<Interval> ratio() {
    if (second() == 0) {
      return Optional.empty();
    }
    int right = both + onlyFirst + onlySecond;
    double discordant = Math.sqrt(onlyFirst + onlySecond + 2.0);
    double own = spread(first(), right);
    double others = spread(second(), right);
    double shrink = discordant / Math.sqrt((first() + 1.0) * (second() + 1.0)) / (own + others);
    Interval ownShare = Wilson.of(first(), right, shrink);
    Interval otherShare = Wilson.of(second(), right, shrink);
    return Optional.of(
        new Interval(ownShare.low() / otherShare.high(), ownShare.high() / otherShare.low()));
  }

  /** Standard error of the logarithm of a share, as if two more had been asked. */
  private static double spread(int successes, int total) {
    return Math.sqrt((1 - (successes + 1.0) / (total + 2.0)) / (successes + 1.0));
  }
}

package dev.squint.evaluation.metrics;

/**
 * McNemar's test (Psychometrika 1947) in its exact form: whether two settings that answered the
 * same questions differ, from the questions that only one of them gets right.
 */
public final class McNemar {

  private McNemar() {}

  /**
   * The exact two-sided p-value: of a fair coin thrown once per such question.
   *
   * @param onlyFirst questions that only the first gets right
   * @param onlySecond questions that only the second gets right
   * @return 0 to 1; 1 where there are none
   */
  public static double exact(int onlyFirst, int onlySecond) {
    int throwsOfCoin = onlyFirst + onlySecond;
    int fewer = Math.min(onlyFirst, onlySecond);
    double logTerm = -throwsOfCoin * Math.log(2);
    double tail = 0;
    for (int heads = 0; heads <= fewer; heads++) {
      tail += Math.exp(logTerm);
      logTerm += Math.log((double) (throwsOfCoin - heads) / (heads + 1));
    }
    return Math.min(1, 2 * tail);
  }
}

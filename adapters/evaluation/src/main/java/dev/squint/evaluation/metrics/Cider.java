package dev.squint.evaluation.metrics;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * CIDEr-D (Vedantam et al., CVPR 2015) as COCO's caption scorer computes it: cosine of TF-IDF
 * vectors of 1- to 4-grams, clipped, with a Gaussian penalty on length (sigma 6), times 10.
 * Document frequencies come from the targets of the whole data set, so scores of single questions
 * average to the scorer's figure for the set. A set of one image scores 0.
 */
final class Cider implements Metric {

  private static final int LONGEST = 4;
  private static final double TWO_SIGMA_SQUARED = 2 * 6.0 * 6.0;
  private static final double SCALE = 10;

  private final Map<List<String>, Integer> images;
  private final double logImages;

  private Cider(Map<List<String>, Integer> images, int count) {
    this.images = images;
    this.logImages = Math.log(count);
  }

  /**
   * The metric of a data set.
   *
   * @param targets the captions of each image
   */
  static Cider over(List<List<String>> targets) {
    Map<List<String>, Integer> images = new HashMap<>();
    for (List<String> captions : targets) {
      Set<List<String>> seen = new HashSet<>();
      captions.forEach(caption -> seen.addAll(counts(CaptionWords.of(caption)).keySet()));
      seen.forEach(gram -> images.merge(gram, 1, Integer::sum));
    }
    return new Cider(images, targets.size());
  }

  @Override
  public String name() {
    return "cider";
  }

  @Override
  public double most() {
    return SCALE;
  }

  @Override
  public boolean tellsRightFromWrong() {
    return false;
  }

  @Override
  public String filter(String answer, List<String> choices) {
    return String.join(" ", CaptionWords.of(answer));
  }

  @Override
  public double score(String answer, List<String> targets, List<String> choices) {
    Weights said = new Weights(counts(CaptionWords.of(answer)));
    double sum = 0;
    for (String target : targets) {
      sum += said.similarity(new Weights(counts(CaptionWords.of(target))));
    }
    return SCALE * sum / targets.size();
  }

  private static Map<List<String>, Integer> counts(List<String> words) {
    Map<List<String>, Integer> counts = new HashMap<>();
    for (int length = 1; length <= LONGEST; length++) {
      for (int from = 0; from + length <= words.size(); from++) {
        counts.merge(new ArrayList<>(words.subList(from, from + length)), 1, Integer::sum);
      }
    }
    return counts;
  }

  /** TF-IDF weights of a caption's n-grams. */
  private final class Weights {

    private final Map<List<String>, Double> weights = new HashMap<>();
    private final double[] norms = new double[LONGEST];
    private int bigrams;

    private Weights(Map<List<String>, Integer> counts) {
      counts.forEach(
          (gram, count) -> {
            double frequency = Math.log(Math.max(1, images.getOrDefault(gram, 0)));
            double weight = count * (logImages - frequency);
            weights.put(gram, weight);
            norms[gram.size() - 1] += weight * weight;
            bigrams += gram.size() == 2 ? count : 0;
          });
    }

    private double similarity(Weights target) {
      double[] products = new double[LONGEST];
      weights.forEach(
          (gram, weight) -> {
            double other = target.weights.getOrDefault(gram, 0.0);
            products[gram.size() - 1] += Math.min(weight, other) * other;
          });
      // The scorer takes the number of bigrams for the length.
      double apart = bigrams - target.bigrams;
      double penalty = Math.exp(-apart * apart / TWO_SIGMA_SQUARED);
      double sum = 0;
      for (int i = 0; i < LONGEST; i++) {
        double norm = Math.sqrt(norms[i]) * Math.sqrt(target.norms[i]);
        sum += norm == 0 ? 0 : products[i] / norm * penalty;
      }
      return sum / LONGEST;
    }
  }
}

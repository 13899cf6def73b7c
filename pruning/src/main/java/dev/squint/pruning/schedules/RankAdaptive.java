package dev.squint.pruning.schedules;

/**
 * As many tokens leave as the attention to them is redundant: {@code rint(lambda (v - rank))} of v,
 * the rank being that of the rows of attention (SparseVLM: Zhang et al., ICML 2025).
 *
 * @param lambda from 0 to 1
 */
public record RankAdaptive(double lambda) implements Schedule {

  public RankAdaptive {
    if (!(lambda >= 0 && lambda <= 1)) {
      throw new IllegalArgumentException("lambda is from 0 to 1, not " + lambda);
    }
  }

  @Override
  public int keep(Step step) {
    int rank = MatrixRank.of(step.attention());
    return step.alive() - (int) Math.rint(lambda * (step.alive() - rank));
  }
}

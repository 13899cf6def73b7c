package dev.squint.pruning.schedules;

/**
 * The same share of the tokens alive at every site, as PyramidDrop has it: {@code rint(v * ratio)}
 * of v tokens stay.
 *
 * @param ratio above 0 and at most 1
 */
public record Geometric(double ratio) implements Schedule {

  public Geometric {
    if (!(ratio > 0 && ratio <= 1)) {
      throw new IllegalArgumentException("a ratio is above 0 and at most 1, not " + ratio);
    }
  }

  @Override
  public int keep(Step step) {
    return (int) Math.rint(step.alive() * ratio);
  }
}

package dev.squint.pruning.strategies;

import dev.squint.pruning.ModelFacts;
import dev.squint.pruning.Observations;
import dev.squint.pruning.Parameter;
import dev.squint.pruning.PositionPolicy;
import dev.squint.pruning.Retention;
import dev.squint.pruning.Selection;
import dev.squint.pruning.Site;
import dev.squint.pruning.SiteContext;
import dev.squint.pruning.SitePlan;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.StrategyProvider;
import dev.squint.pruning.VisualSpan;
import java.util.List;
import java.util.Set;

/**
 * Keeps {@code rint(N * keep)} visual tokens spread evenly over the picture: what a lower
 * resolution would see.
 *
 * <p>To keep K of R x C patches, r rows are used, {@code r = rint(sqrt(K * R / C))} (as far apart
 * as the columns), at least {@code ceil(K / C)} and at most {@code min(R, K)}. Row i of them lies
 * at {@code floor((i + 1/2) * R / r)} and holds {@code floor((i + 1) * K / r) - floor(i * K / r)}
 * patches, of which the j-th of c lies at {@code floor((j + 1/2) * C / c)}. So the count is exact
 * whatever K is. Several pictures share the count in proportion to their tokens; tokens without a
 * grid are taken as one row.
 *
 * @param keep retention ratio, above 0 and at most 1
 */
public record UniformGrid(double keep) implements Strategy {

  private static final String NAME = "uniform";
  private static final Parameter.Ratio KEEP =
      new Parameter.Ratio("keep", 0.5, "share of visual tokens kept");

  public UniformGrid {
    KEEP.check(NAME, keep);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String spec() {
    return NAME + ":keep=" + keep;
  }

  @Override
  public List<SitePlan> plan(ModelFacts model) {
    return List.of(
        new SitePlan(new Site.AfterVision(), Set.of(), PositionPolicy.COMPACTED, this::spread));
  }

  private Selection spread(SiteContext context, Observations observations) {
    int tokens = context.layout().visualTokens();
    long count = Retention.count(tokens, keep);
    int[] kept = new int[(int) count];
    int next = 0;
    int offset = 0;
    for (VisualSpan span : context.layout().visual()) {
      int end = offset + span.length();
      int share = (int) (count * end / tokens - count * offset / tokens);
      next = spread(span, share, offset, kept, next);
      offset = end;
    }
    return Selection.of(kept);
  }

  private static int spread(VisualSpan span, int count, int offset, int[] kept, int next) {
    if (count == 0) {
      return next;
    }
    int rows = Math.max(1, span.rows());
    int columns = span.length() / rows;
    int square = (int) Math.rint(Math.sqrt((double) count * rows / columns));
    int used = Math.max((count + columns - 1) / columns, Math.min(square, Math.min(rows, count)));
    int place = next;
    for (int i = 0; i < used; i++) {
      int row = centre(i, used, rows);
      int inRow = (int) ((i + 1L) * count / used - (long) i * count / used);
      for (int j = 0; j < inRow; j++) {
        kept[place++] = offset + row * columns + centre(j, inRow, columns);
      }
    }
    return place;
  }

  /**
   * The cell under the middle of part {@code index} when {@code cells} are divided into {@code
   * parts}.
   */
  private static int centre(int index, int parts, int cells) {
    return (int) ((2L * index + 1) * cells / (2L * parts));
  }

  /** Makes {@link UniformGrid}. */
  public static final class Provider extends StrategyProvider {

    /** For the service loader. */
    public Provider() {
      super(
          NAME,
          "keeps visual tokens on an even grid over the picture",
          "baseline",
          List.of(KEEP),
          given -> new UniformGrid(given.get(KEEP)));
    }
  }
}

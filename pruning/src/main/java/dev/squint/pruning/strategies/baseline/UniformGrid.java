package dev.squint.pruning.strategies.baseline;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Keeps {@code rint(N * keep)} visual tokens spread evenly over the image: what a lower resolution
 * would see.
 *
 * <p>To keep K of R x C patches, r rows are used, {@code r = rint(sqrt(K * R / C))} (as far apart
 * as the columns), at least {@code ceil(K / C)} and at most {@code min(R, K)}. Row i of them lies
 * at {@code floor((i + 1/2) * R / r)} and holds {@code floor((i + 1) * K / r) - floor(i * K / r)}
 * patches, of which the j-th of c lies at {@code floor((j + 1/2) * C / c)}. So the count is exact
 * whatever K is. Images, tiles or frames that share a budget share the count in proportion to their
 * tokens; tokens without a grid, or of which some have left already, are taken as one row.
 *
 * @param budget how many visual tokens stay, by default counted over all of the request
 */
public record UniformGrid(Budget budget) implements DescribedStrategy {

  private static final Budget.Parameters BUDGET = Budget.Parameters.of(0.5, Scope.REQUEST);
  private static final Type TYPE = new Type();

  public UniformGrid {
    TYPE.check(budget);
  }

  /**
   * With a budget by ratio.
   *
   * @param keep retention ratio, above 0 and at most 1
   */
  public UniformGrid(double keep) {
    this(BUDGET.keeping(TYPE.name(), keep));
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    return List.of(
        new SitePlan(new Site.AfterVision(), Set.of(), PositionPolicy.COMPACTED, this::spread));
  }

  private Selection spread(SiteContext context, Observations observations) {
    List<VisualSpan> spans = context.spans();
    List<Scope.Group> groups = budget.scope().groups(context);
    int[] kept = new int[spans.size()];
    int next = 0;
    for (Scope.Group group : groups) {
      long count = budget.count(group.size());
      int from = group.from();
      for (int to = from + 1; to <= group.to(); to++) {
        if (to == group.to() || !spans.get(to).equals(spans.get(from))) {
          long before = count * (from - group.from()) / group.size();
          int share = (int) (count * (to - group.from()) / group.size() - before);
          next = spread(spans.get(from), to - from, share, from, kept, next);
          from = to;
        }
      }
    }
    return budget.noted(Selection.of(Arrays.copyOf(kept, next)), groups);
  }

  private static int spread(
      VisualSpan span, int alive, int count, int offset, int[] kept, int next) {
    if (count == 0) {
      return next;
    }
    int rows = alive == span.length() ? Math.max(1, span.rows()) : 1;
    int columns = alive / rows;
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

  /** The descriptor of {@link UniformGrid}, for the service loader. */
  public static final class Type extends StrategyType<UniformGrid> {

    public Type() {
      super(
          UniformGrid.class,
          "uniform",
          "keeps visual tokens on an even grid over the image",
          "baseline",
          BUDGET);
    }
  }
}

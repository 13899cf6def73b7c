package dev.squint.pruning.strategies.vision;

import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SiteContext;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * MustDrop, vision stage: windows of patches that look alike become one token each (Liu et al.,
 * "Multi-Stage Vision Token Dropping: Towards Efficient Multimodal Large Language Model", 2024).
 *
 * <p>The patch grid is split into windows of {@code window} x {@code window} patches. A window's
 * similarity is the mean cosine of its pairs of patches, on the features before the projector;
 * where the projector joins patches itself (Qwen-VL), windows are of visual tokens, on the features
 * behind it. A merged window is the plain mean of its features. Which windows are merged:
 *
 * <ul>
 *   <li>{@code rule=budget}: the most similar first (among equals the one that comes first in
 *       row-major order; one that is not a number comes last), passing over those that would leave
 *       fewer tokens than the budget. So at least as many stay as asked for: of 576 patches, 128.
 *   <li>{@code rule=threshold}: all whose similarity is at least {@code similarity}; the budget is
 *       not looked at, and how many stay depends on the image.
 * </ul>
 *
 * <p>Of the paper's three stages this is the first alone. The authors' code has all of them: it
 * merges windows of 3 x 3 within the tower, after its first layer, where they are alike by 0.8, so
 * that the rest of the tower runs on fewer tokens; marks the 8 % of the tokens with the highest
 * attention of [CLS] in the last layer, which never leave; drops tokens after the decoder's layers
 * 2, 6, 10 and 14 of which neither the sum of the text's attention is above one threshold (a share
 * of that to all visual tokens) nor its maximum above another; and takes what has left out of the
 * KV cache of the layers before, once the prefill is done. None of these later stages is offered
 * here. Merging after the tower, and the choice by a budget, are those of a port in LightCompress,
 * which has the vision stage only; the threshold of 0.6 is the port's too. The port counts [CLS]
 * among the tokens of a budget; here a budget counts patches. The port puts merged windows before
 * all other tokens, by descending similarity; here a merged window stands at its last patch, and
 * all tokens stay in spatial order. The port takes grids only whose sides the window divides; here
 * windows at the right and lower edge are as much smaller as the grid demands, and a window of one
 * patch has nothing to merge. Rows that newline tokens part are put together again; tokens without
 * a grid, or of which some have left already, are taken as one row.
 *
 * @param rule {@code budget} or {@code threshold}
 * @param window side of a window in patches, at least 2
 * @param similarity least similarity of a merged window, -1 to 1; read by {@code rule=threshold}
 * @param budget how many visual tokens stay, by default of each tile or frame; read by {@code
 *     rule=budget}
 */
public record MustDrop(String rule, int window, double similarity, Budget budget)
    implements DescribedStrategy {

  private static final String THRESHOLD = "threshold";
  private static final Type TYPE = new Type();

  public MustDrop {
    TYPE.check(rule, window, similarity, budget);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    Expression features = Observe.featureSimilarity(model.vision().mergingStage());
    return List.of(
        MergingSite.plan(
            model.vision(),
            Set.of(features),
            (context, seen) -> merge(context, seen.get(features))));
  }

  /**
   * Patches that may become one token.
   *
   * @param cells indices into the tokens alive, ascending
   * @param similarity mean cosine of its pairs
   */
  private record Window(int[] cells, double similarity) {

    private MergedToken merged() {
      return MergedToken.mean(cells[cells.length - 1], cells);
    }
  }

  private Selection merge(SiteContext context, Observation features) {
    List<Window> windows = windows(context, features);
    return rule.equals(THRESHOLD)
        ? selection(
            context, windows.stream().filter(window -> window.similarity >= similarity).toList())
        : withinBudget(context, windows);
  }

  private Selection withinBudget(SiteContext context, List<Window> windows) {
    List<Window> ranked = new ArrayList<>(windows);
    ranked.sort(
        Comparator.comparingDouble(
            window ->
                Double.isNaN(window.similarity) ? Double.POSITIVE_INFINITY : -window.similarity));
    List<Window> merged = new ArrayList<>();
    List<Scope.Group> groups = budget.scope().groups(context);
    boolean over = false;
    for (Scope.Group group : groups) {
      int left = group.size();
      int count = budget.count(left);
      boolean all = true;
      for (Window candidate : ranked) {
        if (group.from() <= candidate.cells[0] && candidate.cells[0] < group.to()) {
          int fewer = candidate.cells.length - 1;
          if (left - fewer >= count) {
            merged.add(candidate);
            left -= fewer;
          } else {
            all = false;
          }
        }
      }
      over |= all && left > count;
    }
    Selection selection = budget.noted(selection(context, merged), groups);
    return over
        ? selection.withNote(
            "every window of %1$d x %1$d is merged, and still more tokens are left than the budget"
                .formatted(window))
        : selection;
  }

  private static Selection selection(SiteContext context, List<Window> merged) {
    boolean[] gone = new boolean[context.visualTokens()];
    for (Window window : merged) {
      for (int cell : window.cells) {
        gone[cell] = true;
      }
      gone[window.cells[window.cells.length - 1]] = false;
    }
    int[] kept = new int[gone.length];
    int size = 0;
    for (int token = 0; token < gone.length; token++) {
      if (!gone[token]) {
        kept[size++] = token;
      }
    }
    return Selection.of(Arrays.copyOf(kept, size))
        .withMerged(merged.stream().map(Window::merged).toList());
  }

  /** All windows of more than one patch, tile by tile, in row-major order. */
  private List<Window> windows(SiteContext context, Observation features) {
    List<VisualSpan> spans = context.spans();
    List<Window> windows = new ArrayList<>();
    for (Scope.Group tile : Scope.TILE.groups(context)) {
      int columns = columns(spans.subList(tile.from(), tile.to()));
      int rows = tile.size() / columns;
      for (int row = 0; row < rows; row += window) {
        for (int column = 0; column < columns; column += window) {
          int height = Math.min(window, rows - row);
          int width = Math.min(window, columns - column);
          int[] cells = new int[height * width];
          for (int i = 0; i < cells.length; i++) {
            cells[i] = tile.from() + (row + i / width) * columns + column + i % width;
          }
          if (cells.length > 1) {
            windows.add(new Window(cells, similarity(features, cells, tile.from())));
          }
        }
      }
    }
    return windows;
  }

  private static double similarity(Observation features, int[] cells, int from) {
    double sum = 0;
    for (int one : cells) {
      for (int other : cells) {
        if (one != other) {
          sum += features.at(one, other - from);
        }
      }
    }
    return sum / (cells.length * (cells.length - 1));
  }

  /** Columns of a tile's grid, all its tokens if it has none or is no longer whole. */
  private static int columns(List<VisualSpan> tile) {
    int columns = tile.get(0).columns();
    for (int from = 0; from < tile.size(); from += tile.get(from).length()) {
      VisualSpan span = tile.get(from);
      int last = from + span.length() - 1;
      if (columns == 0
          || span.columns() != columns
          || last >= tile.size()
          || !tile.get(last).equals(span)) {
        return tile.size();
      }
    }
    return columns;
  }

  /** The descriptor of {@link MustDrop}, for the service loader. */
  public static final class Type extends StrategyType<MustDrop> {

    public Type() {
      super(
          MustDrop.class,
          "mustdrop",
          "merges windows of patches that look alike",
          "Liu et al., Multi-Stage Vision Token Dropping, 2024",
          Parameter.choice("rule", List.of("budget", THRESHOLD), "which windows are merged"),
          Parameter.whole("window", 3, 2, "side of a window in patches"),
          Parameter.number(
              "similarity", 0.6, -1, 1, "least similarity of a merged window (rule=threshold)"),
          Budget.Parameters.of(0.2222, Scope.TILE));
    }
  }
}

package dev.squint.pruning.strategies;

import dev.squint.pruning.CachePlan;
import dev.squint.pruning.DecoderShape;
import dev.squint.pruning.ModelFacts;
import dev.squint.pruning.Parameter;
import dev.squint.pruning.SitePlan;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.StrategyException;
import dev.squint.pruning.StrategyProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * SparseMM: few heads look at the picture, so each KV head gets a budget of visual tokens in the
 * cache after the score of its heads (Wang et al., "SparseMM: Head Sparsity Emerges from Visual
 * Concept Responses in MLLMs", ICCV 2025).
 *
 * <p>Head scores are made offline and normalised over all heads of all layers; the budgets follow
 * {@link CachePlan.PerHead}. Which tokens a KV head keeps is told by the attention of the last
 * {@code window} prompt tokens, averaged over these and the head's group and smoothed over 5
 * neighbours. The paper evicts text too and always keeps the last 32 prompt tokens; here text
 * always stays, so that budgets count visual tokens. Decoding needs a graph in which every head may
 * have another length.
 *
 * @param keep share of the visual tokens that a KV head keeps on average
 * @param tokens number of visual tokens that a KV head keeps on average; wins over {@code keep}
 * @param window how many last prompt tokens are asked
 * @param heads file of head scores, a line per layer with a number per query head; all alike
 *     without
 * @param scores what is in the file; empty without
 */
public record SparseMM(
    double keep, OptionalInt tokens, int window, Optional<String> heads, List<List<Double>> scores)
    implements Strategy {

  private static final String NAME = "sparsemm";
  private static final Parameter.Ratio KEEP =
      new Parameter.Ratio("keep", 0.25, "share of the visual tokens that a KV head keeps");
  private static final Parameter.Count TOKENS =
      new Parameter.Count("tokens", "visual tokens that a KV head keeps, on average");
  private static final Parameter.Whole WINDOW =
      new Parameter.Whole(
          "window", 32, 1, Integer.MAX_VALUE, "last prompt tokens whose attention counts");
  private static final Parameter.Text HEADS =
      new Parameter.Text(
          "heads",
          "the path of a file with a line per layer and a score per query head in it",
          "scores of the heads; all alike if left out");

  public SparseMM {
    KEEP.check(NAME, keep);
    WINDOW.check(NAME, window);
    scores = scores.stream().map(List::copyOf).toList();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String spec() {
    return "%s:keep=%s%s,window=%d%s"
        .formatted(
            NAME,
            keep,
            tokens.isPresent() ? ",tokens=" + tokens.getAsInt() : "",
            window,
            heads.map(file -> ",heads=" + file).orElse(""));
  }

  @Override
  public List<SitePlan> plan(ModelFacts model) {
    return List.of();
  }

  @Override
  public Optional<CachePlan> cache(ModelFacts model) {
    return Optional.of(new CachePlan.PerHead(weights(model), keep, tokens, window));
  }

  private List<List<Double>> weights(ModelFacts model) {
    DecoderShape shape = model.decoder();
    int group = shape.heads() / shape.kvHeads();
    double[][] sums = new double[shape.layers()][shape.kvHeads()];
    double all = 0;
    for (int layer = 0; layer < shape.layers(); layer++) {
      List<Double> row = heads.isEmpty() || layer >= scores.size() ? List.of() : scores.get(layer);
      if (heads.isPresent() && (scores.size() != shape.layers() || row.size() != shape.heads())) {
        throw new StrategyException(
            "strategy '%s': %s has not the %d lines of %d head scores that %s needs; make the scores with this model"
                .formatted(NAME, heads.get(), shape.layers(), shape.heads(), model.name()));
      }
      for (int head = 0; head < shape.heads(); head++) {
        double score = row.isEmpty() ? 1 : row.get(head);
        sums[layer][head / group] += score;
        all += score;
      }
    }
    List<List<Double>> weights = new ArrayList<>();
    for (double[] sum : sums) {
      double total = all;
      weights.add(Arrays.stream(sum).map(score -> score / total).boxed().toList());
    }
    return weights;
  }

  private static List<List<Double>> read(String file) {
    try {
      List<List<Double>> scores = new ArrayList<>();
      double sum = 0;
      for (String line : Files.readAllLines(Path.of(file))) {
        List<Double> row = new ArrayList<>();
        for (String number : line.strip().split("[\\s,]+")) {
          double score = number.isEmpty() ? 0 : Double.parseDouble(number);
          if (!(score >= 0 && score < Double.POSITIVE_INFINITY)) {
            throw new NumberFormatException(number);
          }
          row.add(score);
          sum += score;
        }
        if (!line.isBlank()) {
          scores.add(row);
        }
      }
      if (!(sum > 0)) {
        throw new NumberFormatException("no score above 0");
      }
      return scores;
    } catch (IOException | InvalidPathException e) {
      throw failed(file, "cannot be read", e);
    } catch (NumberFormatException e) {
      throw failed(file, "does not hold head scores (" + e.getMessage() + ")", e);
    }
  }

  private static StrategyException failed(String file, String what, Exception cause) {
    StrategyException failed =
        new StrategyException(
            "strategy '%s': heads=%s %s; choose %s".formatted(NAME, file, what, HEADS.range()));
    failed.initCause(cause);
    return failed;
  }

  /** Makes {@link SparseMM}. */
  public static final class Provider extends StrategyProvider {

    /** For the service loader. */
    public Provider() {
      super(
          NAME,
          "gives each KV head a budget of visual tokens in the cache after its score",
          "Wang et al., SparseMM, ICCV 2025",
          List.of(KEEP, TOKENS, WINDOW, HEADS),
          given ->
              new SparseMM(
                  given.get(KEEP),
                  given.get(TOKENS),
                  given.get(WINDOW),
                  given.get(HEADS),
                  given.get(HEADS).map(SparseMM::read).orElse(List.of())));
    }
  }
}

package dev.squint.pruning.strategies.cache;

import dev.squint.error.StrategyException;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.cache.KvCachePlan;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
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
 * SparseMM: few heads look at the image, so each KV head gets a budget of visual tokens in the
 * cache after the score of its heads (Wang et al., "SparseMM: Head Sparsity Emerges from Visual
 * Concept Responses in MLLMs", ICCV 2025).
 *
 * <p>Head scores are made offline and normalised over all heads of all layers; the budgets follow
 * {@link KvCachePlan.PerHead}. Which tokens a KV head keeps is told by the attention of the last
 * {@code window} prompt tokens, averaged over these and the head's group and smoothed over 5
 * neighbours. The paper evicts text too and always keeps the last 32 prompt tokens; here text
 * always stays, so that budgets count visual tokens. Decoding needs a graph in which every head may
 * have another length.
 *
 * @param keep share of the visual tokens that a KV head keeps on average
 * @param tokens number of visual tokens that a KV head keeps on average; wins over {@code keep}
 * @param window how many last prompt tokens are asked
 * @param heads scores of the heads; all alike without
 */
public record SparseMM(double keep, OptionalInt tokens, int window, Optional<Heads> heads)
    implements DescribedStrategy {

  private static final Type TYPE = new Type();

  public SparseMM {
    TYPE.check(keep, tokens, window, heads);
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    return List.of();
  }

  @Override
  public Optional<KvCachePlan> cache(ModelShape model) {
    return Optional.of(new KvCachePlan.PerHead(weights(model), keep, tokens, window));
  }

  private List<List<Double>> weights(ModelShape model) {
    DecoderShape shape = model.decoder();
    List<List<Double>> scores = heads.map(Heads::scores).orElse(List.of());
    int group = shape.heads() / shape.kvHeads();
    double[][] sums = new double[shape.layers()][shape.kvHeads()];
    double all = 0;
    for (int layer = 0; layer < shape.layers(); layer++) {
      List<Double> row = layer < scores.size() ? scores.get(layer) : List.of();
      if (heads.isPresent() && (scores.size() != shape.layers() || row.size() != shape.heads())) {
        throw new StrategyException(
            "strategy '%s': %s has not the %d lines of %d head scores that %s needs; make the scores with this model"
                .formatted(
                    TYPE.name(), heads.get().file(), shape.layers(), shape.heads(), model.name()));
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

  /**
   * Scores of the heads.
   *
   * @param file the path of a file with a line per layer and a number per query head in it
   * @param scores what is in the file
   */
  public record Heads(String file, List<List<Double>> scores) {

    public Heads {
      scores = scores.stream().map(List::copyOf).toList();
    }

    private static Heads read(String file) {
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
        return new Heads(file, scores);
      } catch (IOException | InvalidPathException e) {
        throw new IllegalArgumentException("cannot be read", e);
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException("does not hold head scores (" + e.getMessage() + ")", e);
      }
    }
  }

  /** The descriptor of {@link SparseMM}, for the service loader. */
  public static final class Type extends StrategyType<SparseMM> {

    public Type() {
      super(
          SparseMM.class,
          "sparsemm",
          "gives each KV head a budget of visual tokens in the cache after its score",
          "Wang et al., SparseMM, ICCV 2025",
          Parameter.ratio("keep", 0.25, "share of the visual tokens that a KV head keeps"),
          Parameter.count("tokens", "visual tokens that a KV head keeps, on average"),
          Parameter.whole("window", 32, 1, "last prompt tokens whose attention counts"),
          Parameter.of(
                  "heads",
                  Optional.<Heads>empty(),
                  "the path of a file with a line per layer and a score per query head in it",
                  heads -> true,
                  file -> Optional.of(Heads.read(file)),
                  "scores of the heads; all alike if left out")
              .written(heads -> heads.map(Heads::file).orElse("")));
    }
  }
}

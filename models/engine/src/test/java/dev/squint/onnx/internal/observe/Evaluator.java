package dev.squint.onnx.internal.observe;

import dev.squint.pruning.observe.Algebra;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Binary;
import dev.squint.pruning.observe.Choose;
import dev.squint.pruning.observe.Constant;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Reduce;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.observe.TopMask;
import dev.squint.pruning.observe.Unary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Computes expressions number by number from their definitions, as slowly as that takes.
 *
 * @param tensors finds the named tensors
 * @param rows finds the tokens that rows stand for
 */
record Evaluator(Function<Leaf, Evaluator.Tensor> tensors, Function<Rows, int[]> rows)
    implements Algebra<Evaluator.Tensor> {

  /**
   * Numbers in a box.
   *
   * @param sizes how long its axes are
   * @param values the numbers, the last axis fastest
   */
  record Tensor(int[] sizes, double[] values) {

    interface Cell {
      double at(int[] place);
    }

    static Tensor of(int[] sizes, Cell cell) {
      double[] values = new double[Arrays.stream(sizes).reduce(1, (a, b) -> a * b)];
      int[] place = new int[sizes.length];
      for (int i = 0; i < values.length; i++) {
        int left = i;
        for (int axis = sizes.length - 1; axis >= 0; axis--) {
          place[axis] = left % sizes[axis];
          left /= sizes[axis];
        }
        values[i] = cell.at(place);
      }
      return new Tensor(sizes, values);
    }

    double at(int... place) {
      int index = 0;
      for (int axis = 0; axis < sizes.length; axis++) {
        index = index * sizes[axis] + place[axis];
      }
      return values[index];
    }

    private int last() {
      return sizes[sizes.length - 1];
    }

    /** The numbers along the last axis that a place lies on. */
    double[] row(int[] place) {
      int[] there = place.clone();
      return IntStream.range(0, last())
          .mapToDouble(
              i -> {
                there[there.length - 1] = i;
                return at(there);
              })
          .toArray();
    }
  }

  Tensor of(Expression expression) {
    return expression.build(this, new HashMap<>());
  }

  @Override
  public Tensor leaf(Leaf leaf) {
    return tensors.apply(leaf);
  }

  @Override
  public Tensor constant(Constant constant) {
    return new Tensor(new int[0], new double[] {constant.value()});
  }

  @Override
  public Tensor unary(Unary node, Tensor of) {
    return switch (node.function()) {
      case NEGATE -> Tensor.of(of.sizes(), p -> -of.at(p));
      case SQRT -> Tensor.of(of.sizes(), p -> Math.sqrt(of.at(p)));
      case EXP -> Tensor.of(of.sizes(), p -> Math.exp(of.at(p)));
      case LOG -> Tensor.of(of.sizes(), p -> Math.log(of.at(p)));
      case ABS -> Tensor.of(of.sizes(), p -> Math.abs(of.at(p)));
      case RELU -> Tensor.of(of.sizes(), p -> Math.max(0, of.at(p)));
      case ROUND -> Tensor.of(of.sizes(), p -> Math.rint(of.at(p)));
      case SOFTMAX ->
          Tensor.of(
              of.sizes(),
              p -> {
                double most = Arrays.stream(of.row(p)).max().orElseThrow();
                double sum = Arrays.stream(of.row(p)).map(x -> Math.exp(x - most)).sum();
                return Math.exp(of.at(p) - most) / sum;
              });
      case NORMALISE ->
          Tensor.of(
              of.sizes(),
              p -> {
                double norm = Math.sqrt(Arrays.stream(of.row(p)).map(x -> x * x).sum());
                return norm == 0 ? 0 : of.at(p) / norm;
              });
      case TRANSPOSE -> {
        int rank = of.sizes().length;
        yield Tensor.of(swapped(of.sizes(), rank), p -> of.at(swapped(p, rank)));
      }
      case JOIN_HEADS -> {
        int width = of.sizes()[2];
        yield Tensor.of(
            new int[] {of.sizes()[1], of.sizes()[0] * width},
            p -> of.at(p[1] / width, p[0], p[1] % width));
      }
    };
  }

  private static int[] swapped(int[] place, int rank) {
    int[] other = place.clone();
    other[rank - 2] = place[rank - 1];
    other[rank - 1] = place[rank - 2];
    return other;
  }

  @Override
  public Tensor binary(Binary node, Tensor first, Tensor second) {
    DoubleBinaryOperator function =
        switch (node.function()) {
          case ADD -> Double::sum;
          case SUB -> (a, b) -> a - b;
          case MUL -> (a, b) -> a * b;
          case DIV -> (a, b) -> a / b;
          case MAX -> Math::max;
          case MIN -> Math::min;
          case GREATER -> (a, b) -> a > b ? 1 : 0;
          case LESS -> (a, b) -> a < b ? 1 : 0;
          case MATMUL -> null;
        };
    if (function == null) {
      return product(first, second);
    }
    List<Axis> axes = node.axes();
    Tensor whole = first.sizes().length >= second.sizes().length ? first : second;
    return Tensor.of(
        whole.sizes(),
        p ->
            function.applyAsDouble(
                first.at(place(p, axes, node.first())), second.at(place(p, axes, node.second()))));
  }

  /** The part of a place that concerns the axes of one operand. */
  private static int[] place(int[] place, List<Axis> axes, Expression operand) {
    List<Integer> missing = Binary.missing(axes, operand.axes());
    return IntStream.range(0, place.length)
        .filter(axis -> !missing.contains(axis))
        .map(axis -> place[axis])
        .toArray();
  }

  private static Tensor product(Tensor first, Tensor second) {
    int rank = first.sizes().length;
    boolean vector = second.sizes().length == 1;
    int[] sizes = Arrays.copyOf(first.sizes(), vector ? rank - 1 : rank);
    if (!vector) {
      sizes[rank - 1] = second.last();
    }
    return Tensor.of(
        sizes,
        p -> {
          double sum = 0;
          for (int k = 0; k < first.last(); k++) {
            int[] one = Arrays.copyOf(p, rank);
            one[rank - 1] = k;
            if (vector) {
              sum += first.at(one) * second.at(k);
              continue;
            }
            int[] other = p.clone();
            other[rank - 2] = k;
            if (rank > 2) {
              other[0] = p[0] / (first.sizes()[0] / second.sizes()[0]);
            }
            sum += first.at(one) * second.at(other);
          }
          return sum;
        });
  }

  @Override
  public Tensor reduce(Reduce node, Tensor of) {
    int[] kept =
        IntStream.range(0, of.sizes().length).filter(i -> !node.places().contains(i)).toArray();
    int[] folded = node.places().stream().mapToInt(i -> i).toArray();
    int[] inner = Arrays.stream(folded).map(i -> of.sizes()[i]).toArray();
    return Tensor.of(
        Arrays.stream(kept).map(i -> of.sizes()[i]).toArray(),
        p -> {
          int[] place = new int[of.sizes().length];
          for (int i = 0; i < kept.length; i++) {
            place[kept[i]] = p[i];
          }
          double[] all =
              Tensor.of(
                      inner,
                      q -> {
                        for (int i = 0; i < folded.length; i++) {
                          place[folded[i]] = q[i];
                        }
                        return of.at(place);
                      })
                  .values();
          return switch (node.function()) {
            case SUM -> Arrays.stream(all).sum();
            case MEAN -> Arrays.stream(all).average().orElse(0);
            case MAX -> Arrays.stream(all).max().orElseThrow();
            case MIN -> Arrays.stream(all).min().orElseThrow();
            case NORM -> Math.sqrt(Arrays.stream(all).map(x -> x * x).sum());
          };
        });
  }

  @Override
  public Tensor choose(Choose node, Tensor of) {
    int[] chosen = rows.apply(node.rows());
    int[] sizes = of.sizes().clone();
    sizes[node.place()] = chosen.length;
    return Tensor.of(
        sizes,
        p -> {
          int[] place = p.clone();
          place[node.place()] = chosen[p[node.place()]];
          return of.at(place);
        });
  }

  @Override
  public Tensor top(TopMask node, Tensor of) {
    int count = Math.max(1, (int) Math.rint((float) of.last() * (float) node.share()));
    return Tensor.of(
        of.sizes(),
        p -> {
          double[] row = of.row(p);
          int own = p[p.length - 1];
          List<Integer> order = new ArrayList<>(IntStream.range(0, row.length).boxed().toList());
          order.sort((a, b) -> Double.compare(row[b], row[a]));
          boolean among =
              node.ties() == TopMask.Ties.ALL
                  ? row[own] >= row[order.get(count - 1)]
                  : order.indexOf(own) < count;
          return among ? 1 : 0;
        });
  }

  /** The rows of a tensor along an axis. */
  static Tensor rows(Tensor of, int axis, int[] rows) {
    int[] sizes = of.sizes().clone();
    sizes[axis] = rows.length;
    Map<Integer, Integer> at = new HashMap<>();
    IntStream.range(0, rows.length).forEach(i -> at.put(i, rows[i]));
    return Tensor.of(
        sizes,
        p -> {
          int[] place = p.clone();
          place[axis] = at.get(p[axis]);
          return of.at(place);
        });
  }
}

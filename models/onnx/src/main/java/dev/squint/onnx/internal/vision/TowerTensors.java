package dev.squint.onnx.internal.vision;

import dev.squint.error.ModelException;
import dev.squint.onnx.internal.attention.AttentionSite;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.observe.ExpressionWriter;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import java.util.Optional;

/** The named tensors of a vision tower, image by image. */
final class TowerTensors implements ExpressionWriter.Tensors {

  private static final int TOKENS = 1;

  private final VisionGraph tower;
  private final OnnxGraph graph;
  private final GraphNodes nodes;

  TowerTensors(VisionGraph tower, OnnxGraph graph, GraphNodes nodes) {
    this.tower = tower;
    this.graph = graph;
    this.nodes = nodes;
  }

  @Override
  public String leaf(Leaf leaf) {
    if (leaf.rows() == Rows.CLS && !tower.hasCls()) {
      throw new ModelException(
          "the vision tower of %s has no [CLS] token, so its attention cannot be observed; choose a strategy that does not need it"
              .formatted(graph.file()));
    }
    if (leaf.place().kind() == Place.Kind.BEFORE_PROJECTOR) {
      return nodes.floats(
          tower.takesPatches() ? merged(tower.mergedPatches()) : tower.projectorInput());
    }
    if (tower.isConvolutional()) {
      throw new ModelException(
          "the vision tower of %s makes visual tokens by convolutions, so what its layers attend to are not these; choose a strategy that looks at features or text"
              .formatted(graph.file()));
    }
    int layer = leaf.place().layer();
    if (layer >= tower.layers()) {
      throw new ModelException(
          "vision layer %d is asked for, but %s has %d layers; choose 0..%d"
              .formatted(layer, graph.file(), tower.layers(), tower.layers() - 1));
    }
    return switch (leaf.tensor()) {
      case Q -> choose(site(layer).queries(graph, nodes, Optional.empty()), 2, leaf.rows());
      case K -> choose(site(layer).keys(graph, nodes), 2, leaf.rows());
      case V -> choose(site(layer).values(graph, nodes), 2, leaf.rows());
      case PROBABILITIES -> probabilities(layer, leaf.rows());
      case MLP -> nodes.floats(choose(rows(tower.activations(layer)), TOKENS, leaf.rows()));
      default -> nodes.floats(choose(rows(tower.hidden(layer)), TOKENS, leaf.rows()));
    };
  }

  /** Rows of one image, with an axis for it in front where patches arrive without one. */
  private String rows(String tensor) {
    if (!tower.takesPatches()) {
      return tensor;
    }
    String width = nodes.slice(nodes.op("Shape", tensor), -1, Long.MAX_VALUE, 0);
    return nodes.op("Reshape", tensor, nodes.concat(0, nodes.constant(1, -1), width));
  }

  /** What the projector takes of each visual token, in the order of the features. */
  private String merged(String tensor) {
    String tokens = rows(tensor);
    return tower.lastReordering().map(order -> nodes.gather(tokens, order, TOKENS)).orElse(tokens);
  }

  private String probabilities(int layer, Rows rows) {
    String all = site(layer).probabilities(nodes, queries(site(layer), rows));
    boolean merges = tower.takesPatches() || tower.pooling().isPresent();
    return rows == Rows.VISUAL && merges ? choose(all, 2, rows) : all;
  }

  private AttentionSite site(int layer) {
    if (tower.isWindowed(layer)) {
      throw new ModelException(
          "vision layer %d of %s attends within windows, so no token sees the whole image there; choose a layer with full attention"
              .formatted(layer, graph.file()));
    }
    return tower.site(layer);
  }

  private Optional<String> queries(AttentionSite site, Rows rows) {
    if (rows == Rows.CLS) {
      return Optional.of(nodes.constant(0));
    }
    if (rows == Rows.ALL || !tower.hasCls()) {
      return Optional.empty();
    }
    return Optional.of(nodes.op("Range", nodes.scalar(1), site.tokens(nodes), nodes.scalar(1)));
  }

  @Override
  public String choose(String tensor, int axis, Rows rows) {
    return switch (rows) {
      case VISUAL ->
          tower.takesPatches()
              ? perToken(tensor, axis)
              : pooled(
                  tower.hasCls() ? nodes.slice(tensor, 1, Long.MAX_VALUE, axis) : tensor, axis);
      case CLS -> nodes.gather(tensor, nodes.constant(0), axis);
      default -> tensor;
    };
  }

  /** Of each square of patches the mean. */
  private String pooled(String tensor, int axis) {
    if (tower.pooling().isEmpty()) {
      return tensor;
    }
    long side = tower.pooling().get().side();
    long across = tower.pooling().get().columns() / side;
    String shape = nodes.op("Shape", tensor);
    String squares = withAxis(tensor, shape, axis, nodes.constant(-1, side, across, side));
    String means = nodes.fresh();
    nodes.mean(squares, means, axis + 1, axis + 3);
    return withAxis(means, shape, axis, nodes.constant(-1));
  }

  /**
   * A tensor in the shape of another but for an axis.
   *
   * @param shape tensor of that shape
   * @param lengths tensor of the lengths in the place of the axis
   */
  private String withAxis(String tensor, String shape, int axis, String lengths) {
    String before = nodes.slice(shape, 0, axis, 0);
    String after = nodes.slice(shape, axis + 1, Long.MAX_VALUE, 0);
    return nodes.op("Reshape", tensor, nodes.concat(0, before, lengths, after));
  }

  /** What there is of each patch, of each visual token the mean, in the order of the features. */
  private String perToken(String tensor, int axis) {
    String shape = nodes.op("Shape", tensor);
    String tokens = nodes.reshape(nodes.size(VisionGraph.FEATURES, 0), 1);
    String perToken = nodes.op("Div", nodes.slice(shape, axis, axis + 1, 0), tokens);
    String groups = withAxis(tensor, shape, axis, nodes.concat(0, tokens, perToken));
    String means = nodes.fresh();
    nodes.mean(groups, means, axis + 1);
    return tower.lastReordering().map(order -> nodes.gather(means, order, axis)).orElse(means);
  }
}

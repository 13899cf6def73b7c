package dev.squint.onnx.internal.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.error.StrategyException;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.observe.Evaluator.Tensor;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Binary;
import dev.squint.pruning.observe.Constant;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Measure;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Reduce;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.observe.TopMask;
import dev.squint.pruning.observe.Unary;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compiled expressions give what the naive evaluator gives. */
class ExpressionWriterTest {

  private static final int[] VISUAL = {2, 3, 5, 6};
  private static final Map<Axis.Kind, Integer> SIZES =
      Map.of(
          Axis.Kind.HEADS, 4,
          Axis.Kind.KV_HEADS, 2,
          Axis.Kind.HEAD_WIDTH, 3,
          Axis.Kind.HIDDEN, 6,
          Axis.Kind.VISION_HIDDEN, 5,
          Axis.Kind.NEURONS, 10);

  private static int[] rows(Rows rows) {
    return switch (rows) {
      case ALL -> IntStream.range(0, 9).toArray();
      case VISUAL -> VISUAL;
      case CLS -> new int[] {0};
      case LAST -> new int[] {8};
      case TEXT -> new int[] {0, 1, 4, 7, 8};
      case TEXT_AFTER_VISUAL -> new int[] {7, 8};
      case FIRST_AFTER_VISUAL -> new int[] {7};
    };
  }

  private static Tensor drawn(Leaf leaf, long seed) {
    SplittableRandom random = new SplittableRandom(seed + leaf.canonical().hashCode());
    int[] sizes =
        leaf.axes().stream()
            .mapToInt(
                axis ->
                    axis.rows().map(r -> rows(r).length).orElseGet(() -> SIZES.get(axis.kind())))
            .toArray();
    return Tensor.of(sizes, place -> (float) (random.nextDouble() * 2 - 1));
  }

  private static void check(Expression expression, long seed, int opset) {
    Map<Leaf, Tensor> tensors = new LinkedHashMap<>();
    expression.leaves().forEach(leaf -> tensors.put(leaf, drawn(leaf, seed)));
    Tensor expected = new Evaluator(tensors::get, ExpressionWriterTest::rows).of(expression);
    GraphProto.Builder graph = GraphProto.newBuilder().setName("test");
    tensors
        .keySet()
        .forEach(
            leaf ->
                graph.addInput(
                    GraphNodes.value(
                        leaf.canonical(),
                        GraphNodes.FLOAT,
                        Stream.generate(() -> "").limit(leaf.axes().size() + 1).toArray())));
    GraphNodes nodes = new GraphNodes(graph, opset);
    new ExpressionWriter(
            nodes,
            new ExpressionWriter.Tensors() {
              @Override
              public String leaf(Leaf leaf) {
                return leaf.canonical();
              }

              @Override
              public String choose(String tensor, int axis, Rows rows) {
                long[] chosen = Arrays.stream(rows(rows)).asLongStream().toArray();
                return nodes.gather(tensor, nodes.constant(chosen), axis);
              }
            })
        .write(expression);
    graph.addOutput(GraphNodes.shapeless(TapNames.output(expression), GraphNodes.FLOAT));
    Map<String, Tensor> inputs = new HashMap<>();
    tensors.forEach((leaf, tensor) -> inputs.put(leaf.canonical(), tensor));
    float[] actual = run(graph, opset, inputs, TapNames.output(expression), expected.sizes());
    float[] wanted = new float[expected.values().length];
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = (float) expected.values()[i];
    }
    double most = Arrays.stream(expected.values()).map(Math::abs).max().orElse(0);
    assertThat(actual)
        .as(expression.canonical())
        .containsExactly(wanted, offset((float) (1e-4 * (1 + most))));
  }

  private static float[] run(
      GraphProto.Builder graph, int opset, Map<String, Tensor> inputs, String output, int[] sizes) {
    byte[] model =
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
            .setGraph(graph)
            .build()
            .toByteArray();
    OrtEnvironment environment = OrtRuntime.get(1).environment();
    Map<String, OnnxTensor> tensors = new HashMap<>();
    try (OrtSession session = environment.createSession(model)) {
      for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
        Tensor tensor = input.getValue();
        float[] values = new float[tensor.values().length];
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) tensor.values()[i];
        }
        long[] shape =
            IntStream.concat(IntStream.of(1), Arrays.stream(tensor.sizes()))
                .asLongStream()
                .toArray();
        tensors.put(
            input.getKey(), OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), shape));
      }
      try (OrtSession.Result result = session.run(tensors)) {
        OnnxTensor tensor = (OnnxTensor) result.get(output).orElseThrow();
        assertThat(tensor.getInfo().getShape())
            .containsExactly(
                IntStream.concat(IntStream.of(1), Arrays.stream(sizes)).asLongStream().toArray());
        return tensor.getFloatBuffer().array();
      }
    } catch (OrtException e) {
      throw new AssertionError(e);
    } finally {
      tensors.values().forEach(OnnxTensor::close);
    }
  }

  static List<Expression> observations() {
    Expression values = Place.decoder(3).v(Rows.VISUAL);
    Expression features = Place.features(Stage.BEFORE_PROJECTOR);
    return List.of(
        Observe.clsAttention(1),
        Observe.attentionReceived(1),
        Observe.textToVisualAttention(1, Rows.TEXT_AFTER_VISUAL),
        Observe.textToVisualAttention(1, Rows.LAST, Heads.EACH),
        Observe.hiddenStates(1),
        Observe.hiddenStates(1, Rows.TEXT, true),
        Observe.keys(2, Rows.TEXT_AFTER_VISUAL),
        Observe.featureSimilarity(Stage.PROJECTED),
        Observe.keySimilarity(1, Heads.AVERAGED),
        Observe.keySimilarity(1, Heads.EACH),
        Observe.embeddingSimilarity(Measure.DOT),
        Observe.embeddingSimilarity(Measure.COSINE),
        Observe.coreNeurons(1, 0.4, 0.2),
        values.norm(Axis.Kind.HEAD_WIDTH).mean(Axis.Kind.KV_HEADS),
        Place.decoder(3).q(Rows.LAST).dot(Place.decoder(3).k(Rows.VISUAL)).over(2).softmax(),
        Place.decoder(3).q(Rows.ALL).matmul(Place.decoder(3).k(Rows.ALL).transpose()),
        features.cosine(features).over(0.2).softmax(),
        Place.vision(0).v(Rows.VISUAL).joinHeads(),
        Place.vision(0).mlp(Rows.VISUAL).sum(Axis.Kind.TOKENS, Axis.Kind.NEURONS),
        Place.vision(0).hidden(Rows.VISUAL).map(Unary.Function.NEGATE).exp(),
        Place.decoder(1)
            .hidden(Rows.VISUAL)
            .minus(Place.decoder(0).hidden(Rows.VISUAL))
            .norm(Axis.Kind.HIDDEN));
  }

  @ParameterizedTest
  @MethodSource("observations")
  void observationsAreTheirDefinition(Expression expression) {
    for (int opset : new int[] {12, 13, 18}) {
      check(expression, 1, opset);
    }
  }

  @Property(tries = 200)
  void anyExpressionIsWhatTheEvaluatorSays(@ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Place.Kind[] kinds = {Place.Kind.DECODER, Place.Kind.VISION, Place.Kind.INPUT};
    Place.Kind kind = kinds[random.nextInt(kinds.length)];
    Expression drawn = new Draw(random, kind).tensor(4);
    check(drawn, seed, random.nextBoolean() ? 12 : 18);
    assertThat(Expression.parse(drawn.canonical())).isEqualTo(drawn);
  }

  /** Draws expressions that are not so steep that rounding would decide. */
  private record Draw(SplittableRandom random, Place.Kind kind) {

    Expression tensor(int depth) {
      if (depth == 0) {
        return leaf();
      }
      for (int attempt = 0; attempt < 20; attempt++) {
        try {
          return operator(depth - 1);
        } catch (StrategyException e) {
          // What was drawn does not fit; another is drawn.
        }
      }
      return leaf();
    }

    private Expression leaf() {
      List<Leaf> all = new ArrayList<>();
      for (Leaf.Tensor tensor : Leaf.Tensor.values()) {
        for (Rows rows : Rows.values()) {
          try {
            int layer = kind == Place.Kind.INPUT ? 0 : random.nextInt(2);
            all.add(new Leaf(new Place(kind, layer), tensor, rows));
          } catch (StrategyException e) {
            // There is no such tensor in this place.
          }
        }
      }
      return all.get(random.nextInt(all.size()));
    }

    private Expression operator(int depth) {
      Expression of = tensor(depth);
      return switch (random.nextInt(12)) {
        case 0 -> {
          Unary.Function[] all = Unary.Function.values();
          Unary.Function function = all[random.nextInt(all.length)];
          yield switch (function) {
            case SQRT, LOG -> of.abs().plus(0.5).map(function);
            case EXP -> of.map(Unary.Function.SOFTMAX).map(function);
            case ROUND -> leaf().map(function);
            default -> of.map(function);
          };
        }
        case 1, 2 -> {
          Binary.Function[] all = Binary.Function.values();
          Binary.Function function = all[random.nextInt(all.length)];
          Expression other = random.nextBoolean() ? alike(of) : tensor(depth);
          yield switch (function) {
            case DIV -> of.over(other.abs().plus(1));
            case GREATER, LESS -> new Binary(function, leaf(), new Constant(0.1f));
            default -> new Binary(function, of, other);
          };
        }
        case 3 -> of.dot(alike(of));
        case 4, 5, 6 -> {
          Reduce.Function[] all = Reduce.Function.values();
          yield of.reduce(all[random.nextInt(all.length)], axis(of));
        }
        case 7 -> {
          Rows[] all = Rows.values();
          yield of.choose(all[random.nextInt(all.length)]);
        }
        case 8 -> leaf().top(0.1 + 0.9 * random.nextDouble(), TopMask.Ties.ALL);
        case 9 -> leaf().top(0.1 + 0.9 * random.nextDouble(), TopMask.Ties.FIRST).times(of);
        case 10 -> of.times(2 * random.nextDouble() - 1);
        default -> of.normalise();
      };
    }

    private int axis(Expression of) {
      return of.axes().isEmpty() ? 0 : random.nextInt(of.axes().size());
    }

    /** Something of the same axes, or of fewer of them. */
    private Expression alike(Expression of) {
      Expression other = of.times(random.nextDouble()).plus(random.nextDouble());
      return random.nextBoolean() ? other : other.reduce(Reduce.Function.MEAN, axis(of));
    }
  }

  @Test
  void whatSeveralHaveInCommonIsComputedOnce() {
    GraphProto.Builder graph = GraphProto.newBuilder();
    GraphNodes nodes = new GraphNodes(graph, 18);
    ExpressionWriter writer =
        new ExpressionWriter(
            nodes,
            new ExpressionWriter.Tensors() {
              @Override
              public String leaf(Leaf leaf) {
                return nodes.op("Identity", leaf.canonical());
              }

              @Override
              public String choose(String tensor, int axis, Rows rows) {
                return nodes.gather(tensor, rows.word(), axis);
              }
            });
    Expression each = Observe.textToVisualAttention(1, Rows.LAST, Heads.EACH);
    writer.write(each);
    writer.write(Observe.textToVisualAttention(1, Rows.LAST));
    assertThat(graph.getNodeList())
        .extracting(node -> node.getOpType())
        .containsExactly("Identity", "Gather", "ReduceMean");
    assertThat(graph.getNode(1).getOutput(0)).isEqualTo(TapNames.output(each));
    assertThat(graph.getNode(2).getInput(0)).isEqualTo(TapNames.output(each));
  }
}

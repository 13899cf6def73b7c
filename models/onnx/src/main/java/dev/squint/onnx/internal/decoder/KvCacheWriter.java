package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.attention.FusedAttention;
import dev.squint.onnx.internal.decoder.KvCacheNames.Field;
import dev.squint.onnx.internal.decoder.KvCacheNames.Part;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Appends what turns a stored cache into the keys and values that a layer reads, and the new ones
 * into what is stored. The floating-point copy lives as long as its layer runs.
 */
final class KvCacheWriter {

  private static final int UINT8 = TensorProto.DataType.UINT8.getNumber();
  private static final int INT32 = TensorProto.DataType.INT32.getNumber();
  private static final int AXES_ARE_INPUTS = 18;
  private static final int TOKENS = 2;
  private static final int HEADS_AXIS = 1;
  private static final int WIDTH_AXIS = 3;

  /** A rotation has as many numbers as this squared. */
  private static final int WIDEST = 4096;

  private static final float LEAST_SCALE = 1e-30f;

  private final OnnxGraph source;
  private final GraphProto.Builder out;
  private final GraphNodes nodes;
  private final KvCacheLayout.Quantised form;
  private final boolean attended;
  private final int raggedHeads;
  private String rotation = "";

  KvCacheWriter(OnnxGraph source, GraphProto.Builder out, GraphNodes nodes, KvCacheLayout cache) {
    this.source = source;
    this.out = out;
    this.nodes = nodes;
    this.attended = cache.attended();
    if (cache instanceof KvCacheLayout.Ragged ragged) {
      this.form =
          new KvCacheLayout.Quantised(KvCacheLayout.Quantised.EXACT, 0, false, ragged.width());
      this.raggedHeads = ragged.heads();
    } else {
      this.form = (KvCacheLayout.Quantised) cache;
      this.raggedHeads = 0;
    }
  }

  /**
   * Makes {@code past_key_values.*} of what is stored.
   *
   * @param after what has to be computed before; without, a runtime may restore all layers first
   */
  void restore(int layer, List<String> after) {
    String sizes = after.isEmpty() ? "" : sameSizes(after);
    if (form.low() > 0) {
      out.addInput(GraphNodes.value(KvCacheNames.order(layer), INT32, "prompt_tokens_" + layer));
    }
    if (raggedHeads > 0) {
      Object heads = source.inputDimension(DecoderGraph.past(layer, true), HEADS_AXIS);
      String longest = "longest_" + layer;
      out.addInput(GraphNodes.value(KvCacheNames.places(layer), INT32, 1L, heads, longest));
      out.addInput(
          GraphNodes.value(
              KvCacheNames.bias(layer), GraphNodes.FLOAT, (long) raggedHeads, 1L, longest));
    }
    for (boolean key : new boolean[] {true, false}) {
      String past = DecoderGraph.past(layer, key);
      String prompt =
          raggedHeads > 0
              ? flat(layer, key, sizes)
              : part(layer, key, Part.HIGH, form.bits(), sizes);
      if (form.low() > 0) {
        String low = part(layer, key, Part.LOW, form.low(), sizes);
        prompt = nodes.gather(nodes.concat(TOKENS, low, prompt), KvCacheNames.order(layer), TOKENS);
      }
      String all = nodes.concat(TOKENS, prompt, part(layer, key, Part.TAIL, form.bits(), sizes));
      nodes.cast(rotated(all, past), type(past), past);
    }
  }

  private String flat(int layer, boolean key, String sizes) {
    String past = DecoderGraph.past(layer, key);
    String rows = KvCacheNames.flat(layer, key);
    out.addInput(
        GraphNodes.value(rows, type(past), "rows_%d_%s".formatted(layer, key), (long) width(past)));
    String waiting =
        sizes.isEmpty() ? rows : nodes.op("Reshape", rows, nodes.slice(sizes, 0, 2, 0));
    return nodes.floats(nodes.gather(waiting, KvCacheNames.places(layer), 0));
  }

  /**
   * Hides from the scores of a layer what fills its heads up.
   *
   * @param scores {@code [.., heads, tokens, keys]}
   * @param type their element type
   */
  String hidden(int layer, String scores, int type) {
    String keys = nodes.size(scores, -1);
    String typed = nodes.fresh();
    nodes.cast(biasOver(layer, keys), type, typed);
    return nodes.op("Add", scores, typed);
  }

  /**
   * The same as a bias for an operator that adds one, {@code [1, heads, tokens, keys]}.
   *
   * @param attention the operator
   * @param type the bias's element type
   */
  String bias(int layer, FusedAttention attention, int type) {
    String tokens = attention.queries().tokens(nodes);
    String keys = nodes.op("Add", nodes.size(DecoderGraph.past(layer, true), TOKENS), tokens);
    String perToken = nodes.reshape(biasOver(layer, keys), 1, raggedHeads, 1, -1);
    String shape =
        nodes.concat(
            0, nodes.constant(1, raggedHeads), nodes.reshape(tokens, 1), nodes.reshape(keys, 1));
    String typed = nodes.fresh();
    nodes.cast(nodes.op("Expand", perToken, shape), type, typed);
    return attention.mask().isEmpty() ? typed : nodes.op("Add", attention.mask(), typed);
  }

  /** {@code [heads, 1, keys]}: what the runtime gives for the filled heads, and 0 for the rest. */
  private String biasOver(int layer, String keys) {
    String bias = KvCacheNames.bias(layer);
    String others = nodes.op("Sub", keys, nodes.size(bias, 2));
    String shape = nodes.concat(0, nodes.constant(raggedHeads, 1), nodes.reshape(others, 1));
    return nodes.concat(2, bias, nodes.op("Expand", nodes.scalar(0f), shape));
  }

  /** Sizes that leave a tensor as it is, known only when others have been computed. */
  private String sameSizes(List<String> after) {
    String sum = "";
    for (String tensor : after) {
      String size = nodes.size(tensor, 1);
      sum = sum.isEmpty() ? size : nodes.op("Add", sum, size);
    }
    return nodes.op("Mul", sum, nodes.constant(0, 0, 0, 0));
  }

  /** What {@link #store} returns of a layer. */
  List<String> stored(int layer) {
    List<String> names = new ArrayList<>();
    for (boolean key : new boolean[] {true, false}) {
      names.add(KvCacheNames.grown(layer, key, Field.VALUES));
      if (form.low() > 0) {
        names.add(KvCacheNames.low(layer, key, Field.VALUES));
      }
    }
    if (attended) {
      names.add(KvCacheNames.attention(layer));
    }
    return names;
  }

  private String part(int layer, boolean key, Part part, int bits, String sizes) {
    String past = DecoderGraph.past(layer, key);
    Map<Field, String> fields = new EnumMap<>(Field.class);
    for (Field field : Field.of(bits)) {
      String name = KvCacheNames.stored(layer, key, part, field);
      boolean whole = field == Field.VALUES && bits != KvCacheLayout.Quantised.EXACT;
      int type = whole ? UINT8 : field == Field.VALUES ? type(past) : GraphNodes.FLOAT;
      long width = width(past);
      long size = field != Field.VALUES ? 1 : whole ? width * bits / Byte.SIZE : width;
      Object heads = source.inputDimension(past, HEADS_AXIS);
      out.addInput(
          GraphNodes.value(name, type, 1L, heads, "%s_tokens_%d".formatted(part, layer), size));
      fields.put(field, name);
    }
    String kept = fields.get(Field.VALUES);
    String waiting = sizes.isEmpty() ? kept : nodes.op("Reshape", kept, sizes);
    String values = nodes.floats(unpacked(waiting, bits));
    return bits == KvCacheLayout.Quantised.EXACT
        ? values
        : nodes.op(
            "Add", nodes.op("Mul", values, fields.get(Field.SCALE)), fields.get(Field.LEAST));
  }

  /** Hands out the tail grown by the new tokens, and these in the lower width. */
  void store(int layer) {
    for (boolean key : new boolean[] {true, false}) {
      String past = DecoderGraph.past(layer, key);
      String before = nodes.reshape(nodes.size(past, TOKENS), 1);
      String fresh =
          nodes.op(
              "Slice",
              DecoderGraph.present(layer, key),
              before,
              nodes.constant(Long.MAX_VALUE),
              nodes.constant(TOKENS));
      boolean exact = form.bits() == KvCacheLayout.Quantised.EXACT;
      String numbers = exact ? fresh : rotated(nodes.floats(fresh), past);
      quantised(numbers, past, form.bits())
          .forEach(
              (field, added) -> {
                String name = KvCacheNames.grown(layer, key, field);
                String tail = KvCacheNames.stored(layer, key, Part.TAIL, field);
                nodes.add(
                    GraphNodes.node("Concat", List.of(tail, added), name)
                        .addAttribute(GraphNodes.integer("axis", TOKENS)));
                handOut(name, field, form.bits(), past);
              });
      if (form.low() > 0) {
        quantised(numbers, past, form.low())
            .forEach(
                (field, added) -> {
                  String name = KvCacheNames.low(layer, key, field);
                  nodes.identity(added, name);
                  handOut(name, field, form.low(), past);
                });
      }
    }
  }

  private void handOut(String name, Field field, int bits, String past) {
    boolean exact = bits == KvCacheLayout.Quantised.EXACT;
    int type = field != Field.VALUES ? GraphNodes.FLOAT : exact ? type(past) : UINT8;
    out.addOutput(GraphNodes.shapeless(name, type));
  }

  private Map<Field, String> quantised(String numbers, String past, int bits) {
    Map<Field, String> fields = new EnumMap<>(Field.class);
    if (bits == KvCacheLayout.Quantised.EXACT) {
      fields.put(Field.VALUES, numbers);
      return fields;
    }
    String least = extreme("ReduceMin", numbers);
    String range = nodes.op("Sub", extreme("ReduceMax", numbers), least);
    String scale = nodes.op("Div", range, nodes.scalar((float) ((1 << bits) - 1)));
    String safe = nodes.op("Max", scale, nodes.scalar(LEAST_SCALE));
    String steps = nodes.op("Round", nodes.op("Div", nodes.op("Sub", numbers, least), safe));
    String values = nodes.fresh();
    nodes.cast(packed(steps, past, bits), UINT8, values);
    fields.put(Field.VALUES, values);
    fields.put(Field.SCALE, scale);
    fields.put(Field.LEAST, least);
    return fields;
  }

  /** Several numbers in a byte: the lowest bits hold the first part of a head, and so on. */
  private String packed(String steps, String past, int bits) {
    int perByte = Byte.SIZE / bits;
    long bytes = width(past) / perByte;
    String sum = perByte == 1 ? steps : nodes.slice(steps, 0, bytes, WIDTH_AXIS);
    for (int i = 1; i < perByte; i++) {
      String part = nodes.slice(steps, i * bytes, (i + 1) * bytes, WIDTH_AXIS);
      sum = nodes.op("Add", sum, nodes.op("Mul", part, nodes.scalar((float) (1 << (i * bits)))));
    }
    return sum;
  }

  private String unpacked(String values, int bits) {
    int perByte = Byte.SIZE / bits;
    if (perByte <= 1) {
      return values;
    }
    String[] parts = new String[perByte];
    for (int i = 0; i < perByte; i++) {
      int above = Byte.SIZE - bits - i * bits;
      String cleared = above == 0 ? values : shift(values, above, "LEFT");
      parts[i] = shift(cleared, Byte.SIZE - bits, "RIGHT");
    }
    return nodes.concat(WIDTH_AXIS, parts);
  }

  private String shift(String values, int places, String direction) {
    String output = nodes.fresh();
    nodes.add(
        GraphNodes.node("BitShift", List.of(values, places(places)), output)
            .addAttribute(GraphNodes.text("direction", direction)));
    return output;
  }

  /** The extreme number of each token and head. */
  private String extreme(String operator, String numbers) {
    String output = nodes.fresh();
    boolean asInput = nodes.opset() >= AXES_ARE_INPUTS;
    List<String> inputs = new ArrayList<>(List.of(numbers));
    if (asInput) {
      inputs.add(nodes.constant(-1));
    }
    NodeProto.Builder node =
        GraphNodes.node(operator, inputs, output).addAttribute(GraphNodes.integer("keepdims", 1));
    nodes.add(asInput ? node : node.addAttribute(GraphNodes.integers("axes", -1)));
    return output;
  }

  /** Times a Walsh-Hadamard matrix, which is its own inverse. */
  private String rotated(String numbers, String past) {
    if (!form.rotated()) {
      return numbers;
    }
    if (rotation.isEmpty()) {
      int width = width(past);
      float unit = (float) (1 / Math.sqrt(width));
      float[] matrix = new float[width * width];
      for (int i = 0; i < width; i++) {
        for (int j = 0; j < width; j++) {
          matrix[i * width + j] = Integer.bitCount(i & j) % 2 == 0 ? unit : -unit;
        }
      }
      rotation = floats(matrix, width, width);
    }
    return nodes.op("MatMul", numbers, rotation);
  }

  private int width(String past) {
    long told = source.inputDimension(past, WIDTH_AXIS);
    long width = told > 0 ? told : form.width();
    if (width > WIDEST) {
      throw new ModelException(
          "%s: the heads of '%s' are %d wide, more than the %d that a stored cache can hold; choose a strategy that keeps the cache as it is"
              .formatted(source.file(), past, width, WIDEST));
    }
    return (int) width;
  }

  private int type(String past) {
    return source.inputs().get(past).getType().getTensorType().getElemType();
  }

  private String floats(float[] values, long... dims) {
    String name = nodes.fresh();
    TensorProto.Builder tensor =
        TensorProto.newBuilder().setName(name).setDataType(GraphNodes.FLOAT);
    for (long dim : dims) {
      tensor.addDims(dim);
    }
    for (float value : values) {
      tensor.addFloatData(value);
    }
    out.addInitializer(tensor);
    return name;
  }

  private String places(int count) {
    String name = nodes.fresh();
    out.addInitializer(
        TensorProto.newBuilder().setName(name).setDataType(UINT8).addInt32Data(count));
    return name;
  }
}

package dev.squint.engine.bench;

import static dev.squint.engine.bench.GraphWriter.BOOL;
import static dev.squint.engine.bench.GraphWriter.FLOAT;
import static dev.squint.engine.bench.GraphWriter.INT32;
import static dev.squint.engine.bench.GraphWriter.INT64;
import static dev.squint.engine.bench.GraphWriter.MICROSOFT;
import static dev.squint.engine.bench.GraphWriter.attribute;
import static dev.squint.engine.bench.GraphWriter.list;

import ai.onnx.proto.OnnxMl.TensorProto;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A LLaMA-like decoder with KV cache as one of two exporters writes it: node for node where it
 * costs time, names as the exporter gives them.
 */
final class SyntheticDecoder {

  /** How attention, norms and rotary embedding are written down. */
  enum Encoding {
    /** Primitive operators, one mask for all layers, as PyTorch's TorchScript exporter writes. */
    DECOMPOSED,
    /** Fused operators of ONNX Runtime, rotary outside, as its model builder writes. */
    FUSED,
    /** The same with matrices of four bits in blocks of 32. */
    INT4
  }

  private static final float EPSILON = 1e-5f;
  private static final double ROTARY_BASE = 10000;
  private static final int CACHED_POSITIONS = 2048;
  private static final int BLOCK = 32;

  /** Makes numbers of four bits, 8 standing for zero, deviate by 0.02. */
  private static final float SCALE = 0.0043f;

  private final DecoderSizes sizes;
  private final WeightFile weights;
  private final TensorProto.DataType type;
  private final boolean int4;
  private final GraphWriter graph = new GraphWriter();

  private SyntheticDecoder(
      DecoderSizes sizes, WeightFile weights, TensorProto.DataType type, boolean int4) {
    this.sizes = sizes;
    this.weights = weights;
    this.type = type;
    this.int4 = int4;
  }

  /**
   * Writes a decoder with its weights in one external file next to it, {@code FILE_data}.
   *
   * @return bytes of the weights
   */
  static long write(
      Path file,
      DecoderSizes sizes,
      Encoding encoding,
      WeightFile.Content content,
      TensorProto.DataType type)
      throws IOException {
    Path data = file.resolveSibling(file.getFileName() + "_data");
    try (WeightFile weights = new WeightFile(data, content, type)) {
      SyntheticDecoder decoder =
          new SyntheticDecoder(sizes, weights, type, encoding == Encoding.INT4);
      decoder.declare();
      if (encoding == Encoding.DECOMPOSED) {
        decoder.new Decomposed().write();
        decoder.graph.save(file, "pytorch", 14, 8);
      } else {
        decoder.new Fused().write();
        decoder.graph.save(file, "onnxruntime-genai", 21, 10);
      }
      return weights.length();
    }
  }

  private void declare() {
    int io = type.getNumber();
    graph.input("inputs_embeds", io, "batch_size", "sequence_length", sizes.hidden());
    graph.input("attention_mask", INT64, "batch_size", "total_sequence_length");
    graph.input("position_ids", INT64, "batch_size", "sequence_length");
    graph.output("logits", io, "batch_size", "sequence_length", sizes.vocabulary());
    for (int layer = 0; layer < sizes.layers(); layer++) {
      for (String part : List.of("key", "value")) {
        graph.input(
            past(layer, part),
            io,
            "batch_size",
            sizes.kvHeads(),
            "past_sequence_length",
            sizes.headDim());
        graph.output(
            present(layer, part),
            io,
            "batch_size",
            sizes.kvHeads(),
            "total_sequence_length",
            sizes.headDim());
      }
    }
  }

  private static String past(int layer, String part) {
    return "past_key_values." + layer + "." + part;
  }

  private static String present(int layer, String part) {
    return "present." + layer + "." + part;
  }

  private String norm(String name) {
    return graph.weight(weights.constant(name + ".weight", 1, sizes.hidden()));
  }

  /** A projection, with its bias where the sizes say so. */
  private String project(String name, String input, int width) {
    String product = linear(name, input, sizes.hidden(), width);
    if (!sizes.bias()) {
      return product;
    }
    String bias = graph.weight(weights.random(name + ".bias", width));
    return graph.node("Add", name + "/Add", List.of(bias, product));
  }

  private int queryWidth() {
    return sizes.heads() * sizes.headDim();
  }

  private int keyWidth() {
    return sizes.kvHeads() * sizes.headDim();
  }

  private String mlp(String name, String normed) {
    String gate = linear(name + "/gate_proj", normed, sizes.hidden(), sizes.intermediate());
    String sigmoid = graph.node("Sigmoid", name + "/act_fn/Sigmoid", List.of(gate));
    String act = graph.node("Mul", name + "/act_fn/Mul", List.of(gate, sigmoid));
    String up = linear(name + "/up_proj", normed, sizes.hidden(), sizes.intermediate());
    String inner = graph.node("Mul", name + "/Mul", List.of(act, up));
    return linear(name + "/down_proj", inner, sizes.intermediate(), sizes.hidden());
  }

  private String linear(String name, String input, int from, int to) {
    return multiply(name, input, from, to, name + "/MatMul_output_0");
  }

  private String multiply(String name, String input, int from, int to, String output) {
    if (!int4) {
      String matrix = graph.weight(weights.random(name + ".weight", from, to));
      return graph.node("MatMul", name + "/MatMul", List.of(input, matrix), output);
    }
    int blocks = (from + BLOCK - 1) / BLOCK;
    graph.node(
        MICROSOFT,
        "MatMulNBits",
        name + "/MatMul_Q4",
        List.of(
            input,
            graph.weight(weights.bytes(name + ".weight_Q4", to, blocks, BLOCK / 2)),
            graph.weight(weights.constant(name + ".scales", SCALE, to * blocks))),
        List.of(output),
        attribute("K", (long) from),
        attribute("N", (long) to),
        attribute("bits", 4L),
        attribute("block_size", (long) BLOCK),
        attribute("accuracy_level", 4L));
    return output;
  }

  private void head(String normed) {
    multiply("lm_head", normed, sizes.hidden(), sizes.vocabulary(), "logits");
  }

  private float scale() {
    return (float) (1 / Math.sqrt(sizes.headDim()));
  }

  private float frequency(int i) {
    return (float) Math.pow(ROTARY_BASE, -2.0 * i / sizes.headDim());
  }

  /** TorchScript's way. */
  private final class Decomposed {

    private String mask;
    private String cos;
    private String sin;

    void write() {
      writeMask();
      writeRotary();
      String hidden = "inputs_embeds";
      for (int layer = 0; layer < sizes.layers(); layer++) {
        hidden = layer(layer, hidden);
      }
      Normed last = rms("/model/norm", hidden);
      head(last.normed);
    }

    /** The residual stream goes on from the norm's first Cast where that changes nothing. */
    private record Normed(String normed, String residual) {}

    private String number(String name, float value) {
      return castToType(name, graph.scalar(value));
    }

    private String castToType(String name, String tensor) {
      return graph.node("Cast", name, List.of(tensor), attribute("to", (long) type.getNumber()));
    }

    private String count(String name, String tensor, int axis) {
      String shape = graph.node("Shape", name + "/Shape", List.of(tensor));
      return graph.node(
          "Gather",
          name + "/Gather",
          List.of(shape, graph.scalar((long) axis)),
          attribute("axis", 0L));
    }

    private void writeMask() {
      String tokens = count("/model/tokens", "inputs_embeds", 1);
      String cached = count("/model/past", past(0, "key"), 2);
      String total = graph.node("Add", "/model/Add", List.of(cached, tokens));
      String zero = graph.scalar(0L);
      String one = graph.scalar(1L);
      String range = graph.node("Range", "/model/Range_1", List.of(zero, tokens, one));
      String queries = graph.node("Add", "/model/Add_1", List.of(range, cached));
      String keys = graph.node("Range", "/model/Range_2", List.of(zero, total, one));
      String column =
          graph.node("Unsqueeze", "/model/Unsqueeze", List.of(queries, graph.longs(0, 1, 3)));
      String row =
          graph.node("Unsqueeze", "/model/Unsqueeze_1", List.of(keys, graph.longs(0, 1, 2)));
      String causal = graph.node("LessOrEqual", "/model/LessOrEqual", List.of(row, column));
      String given =
          graph.node(
              "Cast", "/model/Cast", List.of("attention_mask"), attribute("to", (long) BOOL));
      String alive =
          graph.node("Unsqueeze", "/model/Unsqueeze_2", List.of(given, graph.longs(1, 2)));
      String both = graph.node("And", "/model/And", List.of(causal, alive));
      mask =
          graph.node(
              "Where",
              "/model/Where",
              List.of(
                  both,
                  number("/model/zero", 0),
                  number("/model/lowest", type == TensorProto.DataType.FLOAT ? -3e38f : -6e4f)));
    }

    private void writeRotary() {
      int half = sizes.headDim() / 2;
      float[] frequencies = new float[half];
      for (int i = 0; i < half; i++) {
        frequencies[i] = frequency(i);
      }
      String inverse = graph.weight(weights.of("rotary.inv_freq", frequencies, 1, half, 1));
      String wide = castToFloat("/model/rotary_emb/Cast", inverse);
      String row =
          graph.node(
              "Unsqueeze", "/model/rotary_emb/Unsqueeze", List.of("position_ids", graph.longs(1)));
      String positions = castToFloat("/model/rotary_emb/Cast_1", row);
      String angles = graph.node("MatMul", "/model/rotary_emb/MatMul", List.of(wide, positions));
      String turned =
          graph.node(
              "Transpose", "/model/rotary_emb/Transpose", List.of(angles), list("perm", 0, 2, 1));
      String twice =
          graph.node(
              "Concat",
              "/model/rotary_emb/Concat",
              List.of(turned, turned),
              attribute("axis", -1L));
      cos = rotation("Cos", twice);
      sin = rotation("Sin", twice);
    }

    private String castToFloat(String name, String tensor) {
      return graph.node("Cast", name, List.of(tensor), attribute("to", (long) FLOAT));
    }

    private String rotation(String op, String angles) {
      String name = "/model/rotary_emb/" + op;
      String values = graph.node(op, name, List.of(angles));
      String cast = castToType(name + "/Cast", values);
      return graph.node("Unsqueeze", name + "/Unsqueeze", List.of(cast, graph.longs(1)));
    }

    private Normed rms(String name, String hidden) {
      String wide = castToFloat(name + "/Cast", hidden);
      String square = graph.node("Pow", name + "/Pow", List.of(wide, graph.scalar(2f)));
      String mean =
          graph.node(
              "ReduceMean",
              name + "/ReduceMean",
              List.of(square),
              list("axes", -1),
              attribute("keepdims", 1L));
      String safe = graph.node("Add", name + "/Add", List.of(mean, graph.scalar(EPSILON)));
      String root = graph.node("Sqrt", name + "/Sqrt", List.of(safe));
      String inverse = graph.node("Div", name + "/Div", List.of(graph.scalar(1f), root));
      String scaled = graph.node("Mul", name + "/Mul", List.of(wide, inverse));
      String narrow = castToType(name + "/Cast_1", scaled);
      String normed = graph.node("Mul", name + "/Mul_1", List.of(norm(name), narrow));
      return new Normed(normed, type == TensorProto.DataType.FLOAT ? wide : hidden);
    }

    private String layer(int layer, String hidden) {
      String name = "/model/layers." + layer;
      Normed in = rms(name + "/input_layernorm", hidden);
      String attended = attention(layer, name + "/self_attn", in.normed);
      String middle = graph.node("Add", name + "/Add", List.of(in.residual, attended));
      Normed inner = rms(name + "/post_attention_layernorm", middle);
      String moved = mlp(name + "/mlp", inner.normed);
      return graph.node("Add", name + "/Add_1", List.of(inner.residual, moved));
    }

    private String attention(int layer, String name, String normed) {
      String queries = heads(name + "/q_proj", normed, sizes.heads());
      String keys = heads(name + "/k_proj", normed, sizes.kvHeads());
      String values = heads(name + "/v_proj", normed, sizes.kvHeads());
      queries = turn(name + "/q_rotary", queries);
      keys = turn(name + "/k_rotary", keys);
      keys = cache(layer, "key", keys, name + "/Concat_k");
      values = cache(layer, "value", values, name + "/Concat_v");
      String repeated = repeat(name + "/repeat_k", keys);
      String transposed =
          graph.node(
              "Transpose", name + "/Transpose_k", List.of(repeated), list("perm", 0, 1, 3, 2));
      String products = graph.node("MatMul", name + "/MatMul", List.of(queries, transposed));
      String scaled =
          graph.node("Mul", name + "/Mul", List.of(products, number(name + "/scale", scale())));
      String masked = graph.node("Add", name + "/Add", List.of(scaled, mask));
      String probabilities =
          graph.node("Softmax", name + "/Softmax", List.of(masked), attribute("axis", -1L));
      String mixed =
          graph.node(
              "MatMul",
              name + "/MatMul_1",
              List.of(probabilities, repeat(name + "/repeat_v", values)));
      String back =
          graph.node("Transpose", name + "/Transpose_o", List.of(mixed), list("perm", 0, 2, 1, 3));
      String flat =
          graph.node(
              "Reshape", name + "/Reshape_o", List.of(back, graph.longs(0, 0, queryWidth())));
      return linear(name + "/o_proj", flat, queryWidth(), sizes.hidden());
    }

    private String heads(String name, String normed, int heads) {
      String wide = project(name, normed, heads * sizes.headDim());
      String split =
          graph.node(
              "Reshape",
              name + "/Reshape",
              List.of(wide, graph.longs(0, 0, heads, sizes.headDim())));
      return graph.node("Transpose", name + "/Transpose", List.of(split), list("perm", 0, 2, 1, 3));
    }

    private String turn(String name, String heads) {
      long half = sizes.headDim() / 2;
      String straight = graph.node("Mul", name + "/Mul", List.of(heads, cos));
      String front = slice(name + "/Slice", heads, 0, half);
      String rear = slice(name + "/Slice_1", heads, half, Long.MAX_VALUE);
      String negative = graph.node("Neg", name + "/Neg", List.of(rear));
      String swapped =
          graph.node("Concat", name + "/Concat", List.of(negative, front), attribute("axis", -1L));
      String crossed = graph.node("Mul", name + "/Mul_1", List.of(swapped, sin));
      return graph.node("Add", name + "/Add", List.of(straight, crossed));
    }

    private String slice(String name, String heads, long from, long to) {
      return graph.node(
          "Slice",
          name,
          List.of(heads, graph.longs(from), graph.longs(to), graph.longs(3), graph.longs(1)));
    }

    private String cache(int layer, String part, String fresh, String name) {
      return graph.node(
          "Concat",
          name,
          List.of(past(layer, part), fresh),
          present(layer, part),
          attribute("axis", -2L));
    }

    private String repeat(String name, String heads) {
      int group = sizes.heads() / sizes.kvHeads();
      if (group == 1) {
        return heads;
      }
      String wide = graph.node("Unsqueeze", name + "/Unsqueeze", List.of(heads, graph.longs(2)));
      String many =
          graph.node("Expand", name + "/Expand", List.of(wide, graph.longs(1, 1, group, 1, 1)));
      return graph.node(
          "Reshape",
          name + "/Reshape",
          List.of(many, graph.longs(0, sizes.heads(), -1, sizes.headDim())));
    }
  }

  /** The model builder's way. */
  private final class Fused {

    private String seqlens;
    private String total;
    private String cosCache;
    private String sinCache;

    void write() {
      writeLengths();
      writeCaches();
      String residual = "inputs_embeds";
      String branch = null;
      for (int layer = 0; layer < sizes.layers(); layer++) {
        String name = "/model/layers." + layer;
        String normed = name + "/input_layernorm/output_0";
        if (branch == null) {
          graph.node(
              "SimplifiedLayerNormalization",
              name + "/input_layernorm/LayerNorm",
              List.of(residual, norm(name + "/input_layernorm")),
              normed,
              attribute("axis", -1L),
              attribute("epsilon", EPSILON),
              attribute("stash_type", 1L));
        } else {
          residual = skip(name + "/input_layernorm", residual, branch, true);
        }
        String attended = attention(layer, name + "/attn", normed);
        residual = skip(name + "/post_attention_layernorm", residual, attended, true);
        branch = mlp(name + "/mlp", name + "/post_attention_layernorm/output_0");
      }
      String last = "/model/layers." + sizes.layers() + "/final_norm_layernorm";
      skip(last, residual, branch, false);
      head(last + "/output_0");
    }

    private void writeLengths() {
      String name = "/model/attn_mask_reformat/attn_mask_subgraph";
      String sum =
          graph.node(
              "ReduceSum",
              name + "/ReduceSum",
              List.of("attention_mask", graph.longs(1)),
              attribute("keepdims", 0L));
      String less = graph.node("Sub", name + "/Sub", List.of(sum, graph.longs(1)));
      seqlens =
          graph.node("Cast", name + "/Sub/Cast", List.of(less), attribute("to", (long) INT32));
      String shape = graph.node("Shape", name + "/Shape", List.of("attention_mask"));
      String length =
          graph.node(
              "Gather", name + "/Gather", List.of(shape, graph.scalar(1L)), attribute("axis", 0L));
      total =
          graph.node("Cast", name + "/Gather/Cast", List.of(length), attribute("to", (long) INT32));
    }

    private void writeCaches() {
      int half = sizes.headDim() / 2;
      float[] cos = new float[CACHED_POSITIONS * half];
      float[] sin = new float[CACHED_POSITIONS * half];
      for (int position = 0; position < CACHED_POSITIONS; position++) {
        for (int i = 0; i < half; i++) {
          double angle = position * frequency(i);
          cos[position * half + i] = (float) Math.cos(angle);
          sin[position * half + i] = (float) Math.sin(angle);
        }
      }
      cosCache = graph.weight(weights.of("cos_cache", cos, CACHED_POSITIONS, half));
      sinCache = graph.weight(weights.of("sin_cache", sin, CACHED_POSITIONS, half));
    }

    /** Adds and norms: output 0 is the norm, output 3 the sum, which is returned. */
    private String skip(String name, String residual, String branch, boolean goesOn) {
      String sum = goesOn ? name + "/output_3" : "";
      graph.node(
          MICROSOFT,
          "SkipSimplifiedLayerNormalization",
          name + "/SkipLayerNorm",
          List.of(residual, branch, norm(name)),
          goesOn ? List.of(name + "/output_0", "", "", sum) : List.of(name + "/output_0"),
          attribute("epsilon", EPSILON));
      return sum;
    }

    private String attention(int layer, String name, String normed) {
      String queries = turn(name + "/q_rotary", project(name + "/q_proj", normed, queryWidth()));
      String keys = turn(name + "/k_rotary", project(name + "/k_proj", normed, keyWidth()));
      String values = project(name + "/v_proj", normed, keyWidth());
      String out = name + "/GroupQueryAttention/output_0";
      graph.node(
          MICROSOFT,
          "GroupQueryAttention",
          name + "/GroupQueryAttention",
          List.of(queries, keys, values, past(layer, "key"), past(layer, "value"), seqlens, total),
          List.of(out, present(layer, "key"), present(layer, "value")),
          attribute("num_heads", (long) sizes.heads()),
          attribute("kv_num_heads", (long) sizes.kvHeads()),
          attribute("scale", scale()),
          attribute("do_rotary", 0L),
          attribute("rotary_interleaved", 0L));
      return linear(name + "/o_proj", out, queryWidth(), sizes.hidden());
    }

    private String turn(String name, String tensor) {
      String out = name + "/RotaryEmbedding/output_0";
      graph.node(
          MICROSOFT,
          "RotaryEmbedding",
          name + "/RotaryEmbedding",
          List.of(tensor, "position_ids", cosCache, sinCache),
          List.of(out),
          attribute("interleaved", 0L),
          attribute("num_heads", 0L),
          attribute("rotary_embedding_dim", 0L));
      return out;
    }
  }
}

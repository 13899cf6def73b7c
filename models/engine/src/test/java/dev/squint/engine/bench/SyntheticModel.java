package dev.squint.engine.bench;

import static dev.squint.engine.bench.GraphWriter.FLOAT;
import static dev.squint.engine.bench.GraphWriter.INT64;
import static dev.squint.engine.bench.GraphWriter.attribute;
import static dev.squint.engine.bench.GraphWriter.list;

import ai.onnx.proto.OnnxMl.TensorProto;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A model folder in hub layout with random weights. The decoder is of real size; the vision tower
 * is one convolution and one matrix, and the embedding table holds a few rows only, used again and
 * again, because neither belongs to what is measured.
 *
 * @param folder where it lies
 * @param sizes sizes of the decoder
 * @param grid rows and columns of visual tokens
 */
record SyntheticModel(Path folder, DecoderSizes sizes, int grid) {

  private static final int PATCH = 2;
  private static final int VISION_WIDTH = 16;
  private static final int KNOWN_TOKENS = 64;
  private static final int IMAGE_TOKEN = 3;
  private static final int TEXT_BEFORE = 8;

  static Path decoder(Path folder) {
    return folder.resolve("onnx").resolve("decoder_model_merged.onnx");
  }

  Path decoder() {
    return decoder(folder);
  }

  static SyntheticModel write(
      Path folder, DecoderSizes sizes, SyntheticDecoder.Encoding encoding, int grid)
      throws IOException {
    Path graphs = Files.createDirectories(folder.resolve("onnx"));
    SyntheticDecoder.write(
        decoder(folder), sizes, encoding, WeightFile.Content.RANDOM, TensorProto.DataType.FLOAT);
    writeEmbedding(graphs.resolve("embed_tokens.onnx"), sizes);
    writeVision(graphs.resolve("vision_encoder.onnx"), sizes, grid);
    writeConfig(folder.resolve("config.json"), sizes, grid);
    return new SyntheticModel(folder, sizes, grid);
  }

  private static WeightFile data(Path graph) throws IOException {
    return new WeightFile(
        graph.resolveSibling(graph.getFileName() + "_data"),
        WeightFile.Content.RANDOM,
        TensorProto.DataType.FLOAT);
  }

  private static void writeEmbedding(Path file, DecoderSizes sizes) throws IOException {
    GraphWriter graph = new GraphWriter();
    try (WeightFile weights = data(file)) {
      String ids = graph.input("input_ids", INT64, "batch_size", "sequence_length");
      String table = graph.weight(weights.random("table", KNOWN_TOKENS, sizes.hidden()));
      String known = graph.node("Mod", "/Mod", List.of(ids, graph.scalar((long) KNOWN_TOKENS)));
      graph.node(
          "Gather", "/Gather", List.of(table, known), "inputs_embeds", attribute("axis", 0L));
      graph.output("inputs_embeds", FLOAT, "batch_size", "sequence_length", sizes.hidden());
    }
    graph.save(file, "pytorch", 14, 8);
  }

  private static void writeVision(Path file, DecoderSizes sizes, int grid) throws IOException {
    GraphWriter graph = new GraphWriter();
    try (WeightFile weights = data(file)) {
      int side = grid * PATCH;
      String pixels = graph.input("pixel_values", FLOAT, "batch_size", 3, side, side);
      String kernel = graph.weight(weights.random("kernel", VISION_WIDTH, 3, PATCH, PATCH));
      String patches =
          graph.node(
              "Conv",
              "/Conv",
              List.of(pixels, kernel),
              list("kernel_shape", PATCH, PATCH),
              list("strides", PATCH, PATCH));
      String rows =
          graph.node(
              "Reshape",
              "/Reshape",
              List.of(patches, graph.longs(0, VISION_WIDTH, (long) grid * grid)));
      String turned = graph.node("Transpose", "/Transpose", List.of(rows), list("perm", 0, 2, 1));
      String projector = graph.weight(weights.random("projector", VISION_WIDTH, sizes.hidden()));
      graph.node("MatMul", "/MatMul", List.of(turned, projector), "image_features");
      graph.output("image_features", FLOAT, "batch_size", grid * grid, sizes.hidden());
    }
    graph.save(file, "pytorch", 14, 8);
  }

  private static void writeConfig(Path file, DecoderSizes sizes, int grid) throws IOException {
    Map<String, Object> text =
        Map.of(
            "num_hidden_layers", sizes.layers(),
            "hidden_size", sizes.hidden(),
            "num_attention_heads", sizes.heads(),
            "num_key_value_heads", sizes.kvHeads(),
            "head_dim", sizes.headDim(),
            "intermediate_size", sizes.intermediate(),
            "vocab_size", sizes.vocabulary(),
            "max_position_embeddings", 2048);
    Map<String, Object> vision =
        Map.of(
            "num_hidden_layers",
            1,
            "hidden_size",
            VISION_WIDTH,
            "num_attention_heads",
            1,
            "intermediate_size",
            VISION_WIDTH,
            "image_size",
            grid * PATCH,
            "patch_size",
            PATCH);
    new ObjectMapper()
        .writeValue(
            file.toFile(),
            Map.of(
                "model_type",
                "llava",
                "image_token_index",
                IMAGE_TOKEN,
                "image_seq_length",
                grid * grid,
                "eos_token_id",
                2,
                "vision_feature_layer",
                -1,
                "text_config",
                text,
                "vision_config",
                vision));
  }

  /** A prompt with one image and so many text tokens, some before the image, most after. */
  ModelInput prompt(int textTokens) {
    int visual = grid * grid;
    Random random = new Random(3);
    long[] ids = random.longs(visual + textTokens, IMAGE_TOKEN + 1, KNOWN_TOKENS).toArray();
    int start = Math.min(TEXT_BEFORE, textTokens - 1);
    Arrays.fill(ids, start, start + visual, IMAGE_TOKEN);
    TokenLayout layout =
        new TokenLayout(ids.length, List.of(new VisualSpan(0, start, visual, grid, grid)));
    int side = grid * PATCH;
    FloatBuffer pixels =
        ByteBuffer.allocateDirect(3 * side * side * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    while (pixels.hasRemaining()) {
      pixels.put((float) random.nextGaussian());
    }
    return new ModelInput(
        ids, layout, List.of(new PixelValues(pixels.flip(), new long[] {1, 3, side, side})));
  }
}

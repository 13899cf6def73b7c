package dev.squint.engine;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.SamplingOptions;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** The tiny LLaVA as a model folder of its own, to be made another. */
record TinyFolder(Path path) {

  static final List<String> GRAPHS =
      List.of("decoder_model_merged", "embed_tokens", "vision_encoder");

  private static final Path CASES = Path.of("..", "fixtures", "data", "llava-cases");
  private static final ObjectMapper JSON = new ObjectMapper();

  static TinyFolder in(Path folder) throws IOException {
    Path graphs = Files.createDirectories(folder.resolve("onnx"));
    Path source = TinyLlava.folder();
    for (String name : List.of("config.json", "generation_config.json")) {
      Files.copy(source.resolve(name), folder.resolve(name));
    }
    for (String name : GRAPHS) {
      Files.copy(source.resolve("onnx/" + name + ".onnx"), graphs.resolve(name + ".onnx"));
    }
    String data = "decoder_model_merged.onnx_data";
    Files.copy(source.resolve("onnx").resolve(data), graphs.resolve(data));
    return new TinyFolder(folder);
  }

  /** What transformers answers, and the towers that are not one token per patch. */
  static Path cases() {
    return CASES;
  }

  TinyFolder config(Consumer<ObjectNode> change) {
    return json("config.json", change);
  }

  TinyFolder json(String name, Consumer<ObjectNode> change) {
    try {
      Path file = path.resolve(name);
      ObjectNode root = (ObjectNode) JSON.readTree(file.toFile());
      change.accept(root);
      JSON.writeValue(file.toFile(), root);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ObjectNode part(ObjectNode root, String field) {
    return (ObjectNode) root.get(field);
  }

  TinyFolder tower(String name) throws IOException {
    Files.copy(
        CASES.resolve(name + ".onnx"),
        graph("vision_encoder"),
        StandardCopyOption.REPLACE_EXISTING);
    return this;
  }

  Path graph(String name) {
    return path.resolve("onnx").resolve(name + ".onnx");
  }

  VisionLanguageModel open() {
    return VisionLanguageModel.open(path, TinyLlava.options());
  }

  VisionLanguageModel open(String precision) {
    return VisionLanguageModel.open(
        path, TinyLlava.options().toBuilder().precision(precision).build());
  }

  /** The first tokens of the answer to the prompt of the fixture, unpruned. */
  static long[] answer(VisionLanguageModel model, int tokens) {
    return answer(model, tokens, TestStrategy.none());
  }

  static long[] answer(VisionLanguageModel model, int tokens, Strategy strategy) {
    return answer(model, strategy, GenerationOptions.builder().maxNewTokens(tokens).build());
  }

  /** The same of the best tokens, whatever the model's settings say of drawing. */
  static long[] best(VisionLanguageModel model, int tokens) {
    return answer(
        model,
        TestStrategy.none(),
        GenerationOptions.builder()
            .maxNewTokens(tokens)
            .sampling(SamplingOptions.greedy())
            .build());
  }

  private static long[] answer(
      VisionLanguageModel model, Strategy strategy, GenerationOptions options) {
    ModelInput tiny = TinyLlava.prompt();
    int visual = model.config().visualTokens();
    long[] ids = new long[tiny.tokenIds().length - TinyLlava.VISUAL + visual];
    long[] all = tiny.tokenIds();
    int after = all.length - TinyLlava.FIRST_VISUAL - TinyLlava.VISUAL;
    System.arraycopy(all, 0, ids, 0, TinyLlava.FIRST_VISUAL);
    Arrays.fill(
        ids, TinyLlava.FIRST_VISUAL, TinyLlava.FIRST_VISUAL + visual, model.config().imageToken());
    System.arraycopy(all, all.length - after, ids, ids.length - after, after);
    ModelInput prompt =
        new ModelInput(
            ids,
            new TokenLayout(ids.length, spans(visual, model.facts().vision().hasCls())),
            tiny.images());
    return model.generate(prompt, strategy, options).tokens();
  }

  private static List<VisualSpan> spans(int visual, boolean hasCls) {
    int start = TinyLlava.FIRST_VISUAL;
    if (visual == TinyLlava.VISUAL) {
      return List.of(new VisualSpan(0, start, visual, 4, 4));
    }
    return hasCls && visual == TinyLlava.VISUAL + 1
        ? List.of(
            new VisualSpan(0, start, 1, 0, 0), new VisualSpan(0, start + 1, TinyLlava.VISUAL, 4, 4))
        : List.of(new VisualSpan(0, start, visual, 0, 0));
  }
}

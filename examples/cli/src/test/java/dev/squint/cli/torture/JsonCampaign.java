package dev.squint.cli.torture;

import dev.squint.engine.StrategySupport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** Hostile configuration: each JSON file of a model folder, and that of onnxruntime-genai. */
final class JsonCampaign implements Campaign {

  private static final List<String> FILES =
      List.of(
          "config.json",
          "config.json",
          "preprocessor_config.json",
          "generation_config.json",
          "tokenizer.json",
          "genai_config.json");
  private static final String GENAI =
      """
      {"model": {"bos_token_id": 1, "context_length": 96, "type": "llava", "eos_token_id": [2],
       "decoder": {"filename": "onnx/decoder_model_merged.onnx", "head_size": 8, "hidden_size": 32, "num_attention_heads": 4,
        "num_hidden_layers": 4, "num_key_value_heads": 2, "inputs": {"input_ids": "input_ids"}},
       "vision": {"filename": "onnx/vision_encoder.onnx"}, "embedding": {"filename": "onnx/embed_tokens.onnx"},
       "vocab_size": 64}, "search": {"max_length": 96}}
      """;

  private final Path model;

  JsonCampaign(Path model) {
    this.model = model;
  }

  @Override
  public Verdict run(long seed, Path work) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    Path input = work.resolve("input");
    WorkFolder.copy(model, input);
    Path file = input.resolve(FILES.get(random.nextInt(FILES.size())));
    byte[] sound =
        Files.exists(file) ? Files.readAllBytes(file) : GENAI.getBytes(StandardCharsets.UTF_8);
    Files.write(file, new JsonMutator(random).mutate(sound));
    return Verdict.of(() -> StrategySupport.of(input, ""))
        .and(Answering.ask(input, Answering.spec(random), List.of("what is it?")));
  }
}

package dev.squint.cli.torture;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.squint.engine.StrategySupport;
import dev.squint.fixtures.FileSums;
import dev.squint.onnx.split.ModelSplitter;
import dev.squint.onnx.split.SplitOptions;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Hostile graphs: one of the three graphs of a model that answers, or one that an exporter wrote.
 * Each is inspected and split, and where the model can answer it is loaded and asked.
 */
final class GraphCampaign implements Campaign {

  private static final List<String> PARTS =
      List.of("decoder_model_merged", "decoder_model_merged", "vision_encoder", "embed_tokens");
  private static final int MOST_LAYERS = 5;

  private final Path model;
  private final List<Path> exports;
  private final List<Path> decoders;

  GraphCampaign(Path fixtures, Path model) throws IOException {
    this.model = model;
    try (Stream<Path> folders = Files.list(fixtures.resolve("exports"))) {
      this.exports = folders.sorted().toList();
    }
    this.decoders =
        exports.stream().filter(export -> fits(export.getFileName().toString())).toList();
  }

  /** Whether the decoder of an export takes the embeddings of the model. */
  private static boolean fits(String export) {
    return export.startsWith("llama-") || export.startsWith("genai-llama");
  }

  @Override
  public Verdict run(long seed, Path work) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    Path input = work.resolve("input");
    boolean alone = random.nextInt(3) == 0;
    if (alone) {
      WorkFolder.copy(exports.get(random.nextInt(exports.size())), input);
    } else {
      WorkFolder.copy(model, input);
      if (random.nextInt(3) == 0) {
        foreignDecoder(decoders.get(random.nextInt(decoders.size())), input);
      }
    }
    Path file = alone ? graphOf(input) : input.resolve("onnx/" + any(random, PARTS) + ".onnx");
    mutate(random, file);
    Map<String, String> before = FileSums.of(input);
    Path split = work.resolve("split");
    Path subject = alone ? file : input;
    Verdict verdict =
        Verdict.of(() -> StrategySupport.of(subject, ""))
            .and(Verdict.of(() -> ModelSplitter.split(subject, "", options(random), split)));
    WorkFolder.emptied(split);
    if (!alone) {
      verdict =
          verdict.and(Answering.ask(input, Answering.spec(random), List.of("what is it?", "why?")));
    }
    return FileSums.of(input).equals(before)
        ? verdict
        : verdict.and(new Verdict(Outcome.CHANGED, "a file of the model is another afterwards"));
  }

  private static <T> T any(SplittableRandom random, List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private static Path graphOf(Path folder) {
    Path decoder = folder.resolve("decoder.onnx");
    return Files.exists(decoder) ? decoder : folder.resolve("vision.onnx");
  }

  /** Puts the decoder of an exporter in the place of the model's own. */
  private static void foreignDecoder(Path export, Path folder) throws IOException {
    Path graphs = folder.resolve("onnx");
    try (Stream<Path> files = Files.list(export)) {
      for (Path file :
          files.filter(file -> file.getFileName().toString().startsWith("decoder")).toList()) {
        Files.copy(file, graphs.resolve(file.getFileName()));
      }
    }
    Files.delete(graphs.resolve("decoder_model_merged.onnx"));
    Files.move(graphs.resolve("decoder.onnx"), graphs.resolve("decoder_model_merged.onnx"));
  }

  private static void mutate(SplittableRandom random, Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    if (random.nextInt(5) > 0) {
      content = new GraphMutator(random).mutate(ModelProto.parseFrom(content)).toByteArray();
    }
    if (random.nextInt(4) == 0) {
      content = new ByteMutator(random).mutate(content);
    }
    Files.write(file, content);
  }

  private static SplitOptions options(SplittableRandom random) {
    List<Expression> taps = new ArrayList<>();
    if (random.nextBoolean()) {
      taps.add(Observe.textToVisualAttention(random.nextInt(MOST_LAYERS), Rows.LAST));
    }
    return SplitOptions.at(Set.of(1 + random.nextInt(MOST_LAYERS)))
        .taps(taps)
        .givenPositions(random.nextBoolean())
        .copyWeights(random.nextBoolean())
        .build();
  }
}

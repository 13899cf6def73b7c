package dev.squint.cli;

import dev.squint.Answer;
import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.image.ImageInput;
import dev.squint.overlay.OverlayFile;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.cost.FlopsFormula;
import dev.squint.pruning.shape.DecoderShape;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What {@code ask} and {@code caption} share: the options, and the way from them to the output. */
final class RequestOptions {

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      description = "PNG, JPEG, BMP, WebP, TIFF, GIF or PNM file.")
  private Path image;

  @Option(
      names = "--strategy",
      paramLabel = "SPEC",
      defaultValue = "none",
      description = "What to prune, such as fastv:k=2,keep=0.5 (default: ${DEFAULT-VALUE}).")
  private String strategy;

  @Mixin private LoadOptions load;

  @Option(
      names = "--flops",
      paramLabel = "PAPER",
      description =
          "Also count FLOPs as a paper does: ${COMPLETION-CANDIDATES} (--json has all of them).")
  private FlopsFormula flops;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Option(
      names = "--overlay",
      paramLabel = "FILE",
      description = "Write a PNG: dropped patches dimmed, scores next to it.")
  private Path overlay;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "Seed of random selection (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "96",
      description = "Longest answer (default: ${DEFAULT-VALUE}).")
  private int maxNewTokens;

  @Option(
      names = "--measure",
      negatable = true,
      description =
          "Also run the unpruned model next to it, both several times, to measure the speedup.")
  private boolean measure;

  /** One request to a loaded model. */
  @FunctionalInterface
  interface Request {
    Answer send(Squint squint, ImageInput image, Strategy strategy, GenerationOptions options);
  }

  int run(Request request, PrintWriter out) {
    Strategy chosen = Strategies.parse(strategy);
    ModelOptions options = load.checked();
    if (overlay != null) {
      OverlayFile.check(overlay, load.sources(image));
    }
    ImageInput input = ImageInput.of(image);
    boolean compared = measure && !chosen.name().equals("none");
    GenerationOptions ask =
        GenerationOptions.builder()
            .maxNewTokens(maxNewTokens)
            .seed(seed)
            .measureSpeedup(compared)
            .build();
    try (Squint squint = load.load(options)) {
      Answer answer = request.send(squint, input, chosen, ask);
      if (overlay != null) {
        squint.overlay(input, answer, overlay);
      }
      DecoderShape decoder = squint.facts().decoder();
      out.print(
          json
              ? JsonReport.of(answer, squint.provider(), decoder)
              : TextReport.of(answer, decoder, Optional.ofNullable(flops)));
      out.flush();
    }
    return 0;
  }
}

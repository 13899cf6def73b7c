package dev.squint.cli;

import dev.squint.ChatMessage;
import dev.squint.ChatRequest;
import dev.squint.ChatResponse;
import dev.squint.ConversationOptions;
import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.Cancellation;
import dev.squint.engine.request.FinishReason;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.SamplingOptions;
import dev.squint.image.ImageInput;
import dev.squint.overlay.OverlayFile;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.cost.FlopsFormula;
import dev.squint.pruning.shape.DecoderShape;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What {@code ask} and {@code caption} share: the options, and the way from them to the output. */
final class RequestOptions {

  private static final double MOST_SECONDS = 1e6;

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

  @Option(names = "--system", paramLabel = "TEXT", description = "How to answer, said before.")
  private String system;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Draw tokens; 0 takes the best (default: as the model has it, as all four).")
  private Double temperature;

  @Option(names = "--top-k", paramLabel = "N", description = "Draw from the N best tokens.")
  private Integer topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Draw from the best tokens that have this probability together.")
  private Double topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description = "Draw from tokens that have this share of the best one's probability.")
  private Double minP;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "Seed of random selection and of drawing (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "End the answer before this text; may be given several times.")
  private List<String> stop = List.of();

  @Option(
      names = {"--max-tokens", "--max-new-tokens"},
      paramLabel = "N",
      defaultValue = "96",
      description = "Longest answer (default: ${DEFAULT-VALUE}).")
  private int maxTokens;

  @Option(
      names = "--deadline",
      paramLabel = "SECONDS",
      description = "End the answer after this time, with exit code 3.")
  private Double deadline;

  @Option(
      names = "--raw-prompt",
      description =
          "QUESTION is the whole prompt as the model gets it, placeholders of images and special tokens in it.")
  private boolean rawPrompt;

  @Option(
      names = "--min-pixels",
      paramLabel = "N",
      description = "Enlarge images of a smaller area, where the model takes any size.")
  private Long minPixels;

  @Option(
      names = "--max-pixels",
      paramLabel = "N",
      description = "Shrink images of a larger area, where the model takes any size.")
  private Long maxPixels;

  @Option(names = "--stream", description = "Print the answer as it comes.")
  private boolean stream;

  @Option(
      names = "--measure",
      negatable = true,
      description =
          "Also run the unpruned model next to it, both several times, to measure the speedup.")
  private boolean measure;

  /** Answers one question, or what is asked in a conversation. */
  int run(CommandLine line, List<Path> files, Optional<String> question, boolean conversation) {
    Strategy chosen = Strategies.parse(strategy);
    ModelOptions options = load.checked();
    check(line, files, conversation);
    if (overlay != null) {
      OverlayFile.check(overlay, load.sources(files.get(0)));
    }
    List<ImageInput> images = files.stream().map(ImageInput::of).toList();
    ChatRequest.Builder request = request(chosen);
    if (!conversation) {
      request.message(ChatMessage.user(images, question.orElseThrow())).build();
    }
    ConversationOptions turns = turns(chosen);
    try (Squint squint = load.load(options)) {
      if (conversation) {
        return new ChatLoop(line, squint, turns, json).run(images, question);
      }
      return answer(squint, request, images, line.getOut());
    }
  }

  private void check(CommandLine line, List<Path> files, boolean conversation) {
    if (stream && json) {
      throw new ParameterException(
          line, "--json prints one object when all is there; leave --stream or --json out");
    }
    if (overlay != null && (files.size() != 1 || conversation)) {
      throw new ParameterException(
          line, "--overlay draws one image of one question; ask about it alone");
    }
    if (rawPrompt && (conversation || system != null)) {
      throw new ParameterException(
          line, "--raw-prompt is the whole prompt; leave --chat and --system out");
    }
    if (deadline != null && !(deadline > 0 && deadline <= MOST_SECONDS)) {
      throw new ParameterException(
          line, "--deadline %s is no time; give seconds above 0".formatted(deadline));
    }
  }

  private int answer(
      Squint squint, ChatRequest.Builder request, List<ImageInput> images, PrintWriter out) {
    Cancellation readerGone = new Cancellation();
    Consumer<String> pieces =
        piece -> {
          if (stream) {
            out.print(piece);
            if (out.checkError()) {
              readerGone.cancel();
            }
          }
        };
    ChatResponse response = squint.chat(request.cancellation(readerGone).build(), pieces);
    if (overlay != null) {
      squint.overlay(images.get(0), response.answer(), overlay);
    }
    DecoderShape decoder = squint.facts().decoder();
    Optional<FlopsFormula> formula = Optional.ofNullable(flops);
    if (json) {
      out.print(JsonReport.of(response, squint.provider(), decoder));
    } else {
      out.print(stream ? "" : response.text());
      out.println();
      out.println();
      out.print(TextReport.of(response, decoder, formula));
    }
    out.flush();
    return response.finish() == FinishReason.DEADLINE ? SquintCommand.TRY_AGAIN : 0;
  }

  private GenerationOptions generation(Strategy chosen) {
    SamplingOptions.Builder sampling = SamplingOptions.builder().seed(seed);
    Optional.ofNullable(temperature).ifPresent(sampling::temperature);
    Optional.ofNullable(topK).ifPresent(sampling::topK);
    Optional.ofNullable(topP).ifPresent(sampling::topP);
    Optional.ofNullable(minP).ifPresent(sampling::minP);
    return GenerationOptions.builder()
        .maxNewTokens(maxTokens)
        .sampling(sampling.build())
        .seed(seed)
        .measureSpeedup(measure && !chosen.name().equals("none"))
        .build();
  }

  private Optional<Duration> limit() {
    return Optional.ofNullable(deadline)
        .map(seconds -> Duration.ofNanos(Math.max(1, Math.round(seconds * 1e9))));
  }

  private ChatRequest.Builder request(Strategy chosen) {
    ChatRequest.Builder request =
        ChatRequest.builder().strategy(chosen).options(generation(chosen)).stop(stop);
    Optional.ofNullable(system).ifPresent(request::system);
    Optional.ofNullable(minPixels).ifPresent(request::minImagePixels);
    Optional.ofNullable(maxPixels).ifPresent(request::maxImagePixels);
    limit().ifPresent(request::deadline);
    return rawPrompt ? request.rawPrompt() : request;
  }

  private ConversationOptions turns(Strategy chosen) {
    ConversationOptions.Builder turns =
        ConversationOptions.builder()
            .strategy(chosen)
            .options(generation(chosen))
            .stop(stop.toArray(String[]::new));
    Optional.ofNullable(system).ifPresent(turns::system);
    Optional.ofNullable(minPixels).ifPresent(turns::minImagePixels);
    Optional.ofNullable(maxPixels).ifPresent(turns::maxImagePixels);
    limit().ifPresent(turns::deadline);
    return turns.build();
  }
}

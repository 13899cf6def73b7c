package dev.squint.engine;

import dev.squint.engine.internal.prune.ModelShapes;
import dev.squint.engine.internal.prune.PruningPlan;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.SegmentExtractor;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.inspect.ModelGraphs;
import dev.squint.onnx.internal.vision.VisionGraph;
import dev.squint.onnx.report.ModelReport;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.shape.ModelShape;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which strategies can act on a model, and why the others cannot, without running anything.
 *
 * @param model what was found in its files, which are read once for both
 * @param strategies what was tried: all strategies by name, each with default parameters, or some
 *     specs; the reason where one cannot act
 * @param note why strategies were not tried, if they were not
 */
public record StrategySupport(
    ModelReport model, Map<String, Optional<String>> strategies, Optional<String> note) {

  /**
   * Tries all strategies on a model.
   *
   * @param model a folder in hub, onnxruntime-genai or Mobius layout, or one ONNX file
   * @param precision which files of a hub-layout folder, such as {@code q4}; empty for the most
   *     exact
   * @throws ModelException if there is no model or one of its files is broken
   */
  public static StrategySupport of(Path model, String precision) {
    return of(model, precision, OptionalInt.empty());
  }

  /**
   * Tries all strategies on a model of which is known what only running it tells.
   *
   * @param model a folder in hub, onnxruntime-genai or Mobius layout, or one ONNX file
   * @param precision which files of a hub-layout folder, such as {@code q4}; empty for the most
   *     exact
   * @param visualTokens visual tokens that an image becomes
   * @throws ModelException if there is no model or one of its files is broken
   */
  public static StrategySupport of(Path model, String precision, OptionalInt visualTokens) {
    return of(
        model,
        precision,
        visualTokens,
        Strategies.available().stream().map(StrategyType::name).toList());
  }

  /**
   * Tries some strategies.
   *
   * @param specs such as {@code fastv:k=2}; what was found is by these
   */
  public static StrategySupport of(
      Path model, String precision, OptionalInt visualTokens, List<String> specs) {
    ModelGraphs graphs = ModelGraphs.read(model, precision, visualTokens);
    Map<String, Optional<String>> strategies = new LinkedHashMap<>();
    Optional<String> note = Optional.empty();
    if (graphs.decoder().isPresent() && graphs.vision().isPresent()) {
      Trial trial = new Trial(graphs, graphs.decoder().get(), graphs.vision().get());
      specs.forEach(spec -> strategies.put(spec, trial.refusal(spec)));
    } else {
      note = Optional.of("strategies were not tried: that takes a decoder and a vision tower");
    }
    return new StrategySupport(graphs.report(), strategies, note);
  }

  /** Goes the way of a strategy up to the point where something would run. */
  private static final class Trial {

    private final DecoderGraph decoder;
    private final VisionGraph vision;
    private final ModelShape shape;
    private final Map<SegmentSpec, Optional<String>> refusals = new HashMap<>();
    private final Map<List<Expression>, Optional<String>> tapRefusals = new HashMap<>();

    Trial(ModelGraphs graphs, DecoderGraph decoder, VisionGraph vision) {
      this.decoder = decoder;
      this.vision = vision;
      this.shape =
          graphs
              .config()
              .map(config -> ModelShapes.of(graphs.name(), config, decoder, vision))
              .orElseGet(() -> ModelShapes.ofGraphs(graphs.name(), decoder, vision));
    }

    Optional<String> refusal(String spec) {
      try {
        PruningPlan plan = PruningPlan.of(Strategies.parse(spec), shape, decoder.positions());
        return plan.segments().stream()
            .map(part -> refusals.computeIfAbsent(part, this::refusal))
            .flatMap(Optional::stream)
            .findFirst()
            .or(() -> tapRefusals.computeIfAbsent(plan.visionTaps(), this::refusal))
            .or(() -> plan.beforeProjector().flatMap(site -> projectorRefusal(plan.visionTaps())));
      } catch (SquintException e) {
        return Optional.of(e.getMessage());
      }
    }

    private Optional<String> refusal(SegmentSpec part) {
      return refusal(
          () -> {
            SegmentExtractor.extract(decoder, part);
            if (!part.lookahead()) {
              decoder.steps().ifPresent(steps -> SegmentExtractor.extract(steps, part.forSteps()));
            }
          });
    }

    private Optional<String> refusal(List<Expression> taps) {
      return refusal(() -> vision.withTaps(taps));
    }

    private Optional<String> projectorRefusal(List<Expression> taps) {
      return refusal(
          () -> {
            vision.tower(taps);
            vision.projector();
          });
    }

    private static Optional<String> refusal(Runnable attempt) {
      try {
        attempt.run();
        return Optional.empty();
      } catch (ModelException e) {
        return Optional.of(e.getMessage());
      }
    }
  }
}

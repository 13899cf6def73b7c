package dev.squint.engine.internal.session;

import dev.squint.engine.internal.ort.ArenaPolicy;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.SegmentExtractor;
import dev.squint.onnx.internal.decoder.SegmentModel;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The segments of one split, loaded. */
public final class SplitDecoder implements AutoCloseable {

  /**
   * One loaded segment.
   *
   * @param session its session
   * @param spec which layers it holds
   * @param hiddenInputs inputs for the hidden states
   * @param hiddenOutputs outputs for the next segment; empty at the end
   * @param picker picks tokens out of a stored cache
   * @param joiner joins what parts of the tokens were made into
   * @param steps the same layers of the graph that takes each token after the prompt, if that is
   *     another one
   * @param inParts whether many tokens cost less in parts
   */
  public record Segment(
      ModelSession session,
      SegmentSpec spec,
      List<String> hiddenInputs,
      List<String> hiddenOutputs,
      TokenPicker picker,
      TokenJoiner joiner,
      Optional<Segment> steps,
      boolean inParts)
      implements AutoCloseable {

    public boolean isLast() {
      return hiddenOutputs.isEmpty();
    }

    /** What runs a token after the prompt. */
    public Segment forSteps() {
      return steps.orElse(this);
    }

    @Override
    public void close() {
      try {
        steps.ifPresent(Segment::close);
      } finally {
        session.close();
      }
    }
  }

  private final List<Segment> segments = new ArrayList<>();
  private final List<Segment> lookaheads = new ArrayList<>();
  private final Runnable release;

  /** A split of its own, which shares its segments with no other. */
  public SplitDecoder(SessionFactory sessions, DecoderGraph decoder, List<SegmentSpec> specs) {
    SegmentPool pool = new SegmentPool(sessions, decoder, 1);
    try {
      var lease = pool.lease(specs);
      segments.addAll(lease.get().segments);
      lookaheads.addAll(lease.get().lookaheads);
      release =
          () -> {
            lease.close();
            pool.close();
          };
    } catch (RuntimeException | Error e) {
      pool.close();
      throw e;
    }
  }

  /**
   * @param opened segments and lookaheads, in order
   * @param release gives them back
   */
  SplitDecoder(List<Segment> opened, Runnable release) {
    for (Segment segment : opened) {
      (segment.spec().lookahead() ? lookaheads : segments).add(segment);
    }
    this.release = release;
  }

  static Segment open(
      SessionFactory sessions,
      DecoderGraph decoder,
      SegmentSpec spec,
      TokenPicker picker,
      TokenJoiner joiner) {
    SegmentModel model = SegmentExtractor.extract(decoder, spec);
    String name = "the decoder's layers %d to %d".formatted(spec.from(), spec.to() - 1);
    Optional<Segment> steps =
        spec.lookahead()
            ? Optional.empty()
            : decoder.steps().map(graph -> open(sessions, graph, spec.forSteps(), picker, joiner));
    try {
      requireAlike(model, steps, name);
      ModelSession session =
          sessions.open(model.model(), model.folder(), name, ArenaPolicy.of(spec));
      boolean inParts = sessions.device().isCpu() && decoder.runsInParts(spec);
      return new Segment(
          session,
          spec,
          model.hiddenInputs(),
          model.hiddenOutputs(),
          picker,
          joiner,
          steps,
          inParts);
    } catch (RuntimeException | Error e) {
      steps.ifPresent(Segment::close);
      throw e;
    }
  }

  private static void requireAlike(SegmentModel model, Optional<Segment> steps, String name) {
    if (steps.isPresent()
        && (steps.get().hiddenInputs().size() != model.hiddenInputs().size()
            || steps.get().hiddenOutputs().size() != model.hiddenOutputs().size())) {
      throw new ModelException(
          "%s hand on other tensors in the graph for the prompt than in the one for single tokens; use the files of one export"
              .formatted(name));
    }
  }

  /** Whether tokens after the prompt run one at a time. */
  public boolean oneByOne() {
    return segments.stream().anyMatch(segment -> segment.steps().isPresent());
  }

  public List<Segment> list() {
    return segments;
  }

  /** What computes something of a layer ahead of it, if the split asked for that. */
  public Optional<Segment> lookahead(int layer) {
    return lookaheads.stream().filter(ahead -> ahead.spec().from() == layer).findFirst();
  }

  @Override
  public void close() {
    release.run();
  }
}

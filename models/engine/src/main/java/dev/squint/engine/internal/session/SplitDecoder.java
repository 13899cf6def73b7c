package dev.squint.engine.internal.session;

import dev.squint.engine.internal.ort.ArenaPolicy;
import dev.squint.engine.internal.ort.ModelSession;
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
   */
  public record Segment(
      ModelSession session,
      SegmentSpec spec,
      List<String> hiddenInputs,
      List<String> hiddenOutputs,
      TokenPicker picker) {

    public boolean isLast() {
      return hiddenOutputs.isEmpty();
    }
  }

  private final List<Segment> segments = new ArrayList<>();
  private final TokenPicker picker;
  private final List<Segment> lookaheads = new ArrayList<>();

  public SplitDecoder(SessionFactory sessions, DecoderGraph decoder, List<SegmentSpec> specs) {
    this.picker = new TokenPicker(sessions);
    try {
      for (SegmentSpec asked : specs) {
        SegmentSpec spec = sessions.device().isCpu() ? decoder.growing(asked) : asked;
        ArenaPolicy buffers = ArenaPolicy.of(spec);
        (spec.lookahead() ? lookaheads : segments)
            .add(open(sessions, SegmentExtractor.extract(decoder, spec), buffers));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private Segment open(SessionFactory sessions, SegmentModel model, ArenaPolicy buffers) {
    SegmentSpec spec = model.spec();
    String name = "the decoder's layers %d to %d".formatted(spec.from(), spec.to() - 1);
    ModelSession session = sessions.open(model.bytes(), model.folder(), name, buffers);
    return new Segment(session, spec, model.hiddenInputs(), model.hiddenOutputs(), picker);
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
    picker.close();
    segments.forEach(segment -> segment.session().close());
    segments.clear();
    lookaheads.forEach(ahead -> ahead.session().close());
    lookaheads.clear();
  }
}

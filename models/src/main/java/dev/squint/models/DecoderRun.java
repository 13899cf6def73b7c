package dev.squint.models;

import ai.onnxruntime.OnnxTensor;
import dev.squint.models.graph.PositionSource;
import dev.squint.models.runtime.TensorScope;
import dev.squint.pruning.Observation;
import dev.squint.pruning.ObservationRequest;
import dev.squint.pruning.ObservationRequest.QueryRows;
import dev.squint.pruning.PositionPolicy;
import dev.squint.pruning.SitePlan;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * One request on its way through the segments: prefill once, then step by step. Belongs to one
 * thread.
 */
final class DecoderRun implements AutoCloseable {

  private static final int[] NOTHING = {};
  private static final int[] ONLY_ROW = {0};
  private static final long[] TEXT = {0};

  private final PruningPlan plan;
  private final Embedder embedder;
  private final Similarities similarities;
  private final PositionSource source;
  private final TensorScope scope;
  private final List<SegmentState> segments = new ArrayList<>();
  private int[] tokensPerLayer = NOTHING;
  private float[] logits = {};

  DecoderRun(
      PruningPlan plan,
      OpenSegments open,
      Embedder embedder,
      Similarities similarities,
      PositionSource source,
      ModelConfig.Text sizes,
      TensorScope scope) {
    this.plan = plan;
    this.embedder = embedder;
    this.similarities = similarities;
    this.source = source;
    this.scope = scope;
    try {
      open.list()
          .forEach(segment -> segments.add(new SegmentState(segment, sizes, scope.sibling())));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Runs the prompt.
   *
   * @param prompt the prompt
   * @param features image features of all visual tokens, or empty without a picture
   * @param decider decides at the sites
   */
  void prefill(PromptInput prompt, Optional<OnnxTensor> features, SiteDecider decider) {
    TokenRows rows = TokenRows.of(prompt.layout());
    RotaryPositions positions = RotaryPositions.of(prompt.layout(), source.rows());
    long next = positions.next();
    Passage seen = Passage.all(rows.aliveVisual().length);
    if (plan.afterVision().isPresent()) {
      SitePlan site = plan.afterVision().get();
      seen = decideOnFeatures(prompt, features.orElseThrow(), decider, rows, positions);
      int[] origins = originRows(rows, seen);
      rows = rows.extended(origins).select(rows.rowsOf(seen));
      boolean compacted = site.positions() == PositionPolicy.COMPACTED;
      positions =
          compacted
              ? RotaryPositions.ascending(rows.count(), source.rows())
              : positions.gathered(rows.prompt());
      next = compacted ? rows.count() : next;
    }
    long[] all = prompt.tokenIds();
    long[] tokens = new long[rows.count()];
    for (int row = 0; row < tokens.length; row++) {
      tokens[row] = all[rows.prompt()[row]];
    }
    try (TensorScope pass = scope.sibling()) {
      OnnxTensor embeds =
          features.isPresent()
              ? embedder.embed(pass, tokens, features.get(), seen, rows.visualRows())
              : embedder.embed(pass, tokens);
      List<OnnxTensor> hidden = List.of(embeds);
      TokenRows entering = rows;
      boolean compares =
          plan.seams().stream()
              .flatMap(Optional::stream)
              .anyMatch(site -> site.needs().stream().anyMatch(Beside::answers));
      Map<ObservationRequest, Observation> compared = new HashMap<>();
      Beside atInput =
          (need, context) ->
              compared.computeIfAbsent(need, wanted -> atInput(pass, wanted, embeds, entering));
      Taps taps = Taps.NONE;
      List<Integer> counts = new ArrayList<>();
      for (int i = 0; i < segments.size(); i++) {
        int[] keep = all(rows.count());
        Passage.Mix mix = Passage.Mix.NONE;
        long[] types = rows.types();
        RotaryPositions arriving = positions;
        Optional<SitePlan> seam = plan.seams().get(i);
        if (seam.isPresent()) {
          Passage passage = decider.decide(seam.get(), rows, positions, taps, atInput);
          int[] origins = originRows(rows, passage);
          keep = rows.rowsOf(passage);
          mix = passage.mix().at(rows.visualRows());
          rows = rows.extended(origins);
          types = rows.types();
          rows = rows.select(keep);
          positions = positions.extended(origins);
          arriving = positions;
          if (seam.get().positions() == PositionPolicy.COMPACTED) {
            arriving = positions.compactedFor(keep);
            next = keep.length;
          }
          positions = arriving.gathered(keep);
        }
        boolean tapped = !plan.segments().get(i).taps().isEmpty();
        int[] queries = tapped ? rows.queries(plan.siteAfter(i).orElseThrow().needs()) : NOTHING;
        int[] columns = tapped ? rows.visualRows() : NOTHING;
        SegmentState.Output out =
            segments
                .get(i)
                .run(
                    pass,
                    new SegmentState.Input(hidden, arriving, types, keep, mix, queries, columns));
        segments.get(i).startDecodingAt(next);
        hidden.stream().filter(tensor -> !compares || tensor != embeds).forEach(pass::release);
        hidden = out.hidden();
        taps = new Taps(out.taps(), queries, columns.length);
        for (int layer = 0; layer < segments.get(i).layers(); layer++) {
          counts.add(rows.count());
        }
      }
      tokensPerLayer = counts.stream().mapToInt(Integer::intValue).toArray();
      readLogits(hidden.get(0));
    }
  }

  /** Feeds one generated token and makes the scores of the next. */
  void step(long token) {
    try (TensorScope pass = scope.sibling()) {
      List<OnnxTensor> hidden = List.of(embedder.embed(pass, new long[] {token}));
      for (SegmentState segment : segments) {
        RotaryPositions position = RotaryPositions.single(segment.takePosition(), source.rows());
        hidden =
            segment
                .run(
                    pass,
                    new SegmentState.Input(
                        hidden, position, TEXT, ONLY_ROW, Passage.Mix.NONE, NOTHING, NOTHING))
                .hidden();
      }
      readLogits(hidden.get(0));
    }
  }

  private void readLogits(OnnxTensor tensor) {
    FloatBuffer buffer = tensor.getFloatBuffer();
    logits = new float[buffer.remaining()];
    buffer.get(logits);
  }

  /** The best next token; among equals the smallest id. */
  long bestToken() {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  float[] logits() {
    return logits;
  }

  /** Tokens that ran through each layer in prefill. */
  int[] tokensPerLayer() {
    return tokensPerLayer;
  }

  /** Tokens in the KV cache of each layer now. */
  int[] cachedPerLayer() {
    return segments.stream()
        .flatMapToInt(s -> IntStream.generate(s::cachedTokens).limit(s.layers()))
        .toArray();
  }

  long cacheBytes() {
    return segments.stream().mapToLong(SegmentState::cacheBytes).sum();
  }

  private Passage decideOnFeatures(
      PromptInput prompt,
      OnnxTensor features,
      SiteDecider decider,
      TokenRows rows,
      RotaryPositions positions) {
    try (TensorScope sight = scope.sibling()) {
      Beside beside =
          (need, context) -> {
            if (need instanceof ObservationRequest.EmbeddingSimilarity similarity) {
              int[] text = rows.queries(QueryRows.TEXT_AFTER_VISUAL);
              if (text.length == 0) {
                return new Observation(0, context.visualTokens(), new float[0]);
              }
              long[] ids = Arrays.stream(text).mapToLong(row -> prompt.tokenIds()[row]).toArray();
              return similarities.between(
                  sight,
                  embedder.embed(sight, ids),
                  all(text.length),
                  features,
                  all(context.visualTokens()),
                  similarity.measure());
            }
            return similarities.withinTiles(sight, features, context);
          };
      return decider.decide(plan.afterVision().orElseThrow(), rows, positions, Taps.NONE, beside);
    }
  }

  private Observation atInput(
      TensorScope pass, ObservationRequest need, OnnxTensor embeds, TokenRows rows) {
    return similarities.between(
        pass,
        embeds,
        rows.queries(QueryRows.TEXT_AFTER_VISUAL),
        embeds,
        rows.visualRows(),
        ((ObservationRequest.EmbeddingSimilarity) need).measure());
  }

  private static int[] originRows(TokenRows rows, Passage passage) {
    int[] visualRows = rows.visualRows();
    return Arrays.stream(passage.origins()).map(origin -> visualRows[origin]).toArray();
  }

  private static int[] all(int count) {
    return IntStream.range(0, count).toArray();
  }

  @Override
  public void close() {
    segments.forEach(SegmentState::close);
  }
}

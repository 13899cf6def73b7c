package dev.squint.engine.internal.prune;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.decoder.KvCacheLayout;
import dev.squint.onnx.internal.decoder.Seam;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.report.PositionSource;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.cache.KvCachePlan;
import dev.squint.pruning.observe.Axis;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Leaf;
import dev.squint.pruning.observe.Place;
import dev.squint.pruning.observe.Rows;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a strategy asks for as a split of the decoder.
 *
 * @param beforeProjector the site between vision tower and projector, if used
 * @param afterVision the site between vision and decoder, if used
 * @param seams for each segment the site at its head; empty for a first segment that takes all
 *     tokens
 * @param segments the decoder, split at the sites and nowhere else
 * @param lookaheads what a site wants of the layer after it, one per such site
 * @param visionTaps what is wanted of the vision tower, in order
 * @param cache what becomes of the KV cache after the prefill, if anything
 */
public record PruningPlan(
    Optional<PlannedSite> beforeProjector,
    Optional<PlannedSite> afterVision,
    List<Optional<PlannedSite>> seams,
    List<SegmentSpec> segments,
    List<SegmentSpec> lookaheads,
    List<Expression> visionTaps,
    Optional<KvCachePlan> cache) {

  /** The decoder in one piece, with all tokens. */
  public static PruningPlan unpruned(int layers) {
    return new PruningPlan(
        Optional.empty(),
        Optional.empty(),
        List.of(Optional.empty()),
        List.of(SegmentSpec.of(0, layers)),
        List.of(),
        List.of(),
        Optional.empty());
  }

  /**
   * Asks a strategy what it wants of a model and checks that it can have it.
   *
   * @param positions where the decoder takes its rotary positions from
   * @throws ModelException if sites are out of order or an observation cannot be made in time for
   *     its site
   */
  public static PruningPlan of(Strategy strategy, ModelShape facts, PositionSource positions) {
    return new Builder(strategy.name(), facts, positions)
        .build(strategy.plan(facts), strategy.cache(facts));
  }

  /**
   * The same for images whose tiles are put together behind the projector: visual tokens are there
   * only then.
   *
   * @throws ModelException if a second site is there already
   */
  public PruningPlan behindProjector() {
    if (beforeProjector.isEmpty()) {
      return this;
    }
    if (afterVision.isPresent()) {
      throw new ModelException(
          Kind.REFUSED_STRATEGY,
          "the tiles of the image are put together behind the projector, so the sites %s and %s meet there; choose one of the strategies"
              .formatted(beforeProjector.get().plan().site(), afterVision.get().plan().site()));
    }
    SitePlan site = beforeProjector.get().plan();
    SitePlan behind =
        new SitePlan(
            new Site.AfterVision(),
            site.needs(),
            site.positions(),
            site.merges(),
            (context, seen) ->
                site.decision()
                    .select(context, seen)
                    .withNote(
                        "the tiles of the image are put together behind the projector, so tokens are merged there"));
    return new PruningPlan(
        Optional.empty(),
        Optional.of(new PlannedSite(behind)),
        seams,
        segments,
        lookaheads,
        visionTaps,
        cache);
  }

  /** All that has to be loaded. */
  public List<SegmentSpec> split() {
    List<SegmentSpec> all = new ArrayList<>(segments);
    all.addAll(lookaheads);
    return all;
  }

  /** The site after a segment, if there is one. */
  public Optional<PlannedSite> siteAfter(int segment) {
    return segment + 1 < seams.size() ? seams.get(segment + 1) : Optional.empty();
  }

  /** Whether an observation looks at other tokens than those of the images. */
  public boolean looksAtText() {
    return Stream.concat(
            Stream.of(beforeProjector, afterVision).flatMap(Optional::stream),
            seams.stream().flatMap(Optional::stream))
        .flatMap(site -> site.plan().needs().stream())
        .flatMap(Expression::leaves)
        .anyMatch(leaf -> leaf.rows() != Rows.VISUAL && leaf.rows() != Rows.CLS);
  }

  private static boolean keepsPositions(SitePlan site) {
    return site.positions() == PositionPolicy.ORIGINAL;
  }

  private static final class Builder {
    private final String strategy;
    private final ModelShape facts;
    private final PositionSource positions;
    private final int layers;

    Builder(String strategy, ModelShape facts, PositionSource positions) {
      this.strategy = strategy;
      this.facts = facts;
      this.positions = positions;
      this.layers = facts.decoder().layers();
    }

    PruningPlan build(List<SitePlan> sites, Optional<KvCachePlan> cache) {
      Optional<SitePlan> beforeProjector = Optional.empty();
      Optional<SitePlan> afterVision = Optional.empty();
      List<SitePlan> inDecoder = new ArrayList<>();
      int reached = Integer.MIN_VALUE;
      for (SitePlan site : sites) {
        int depth = site.site().depth();
        if (depth <= reached) {
          throw refused(
              "its sites are not in ascending order or meet at %s".formatted(site.site()));
        }
        if (depth >= layers) {
          throw refused(
              "it wants a site before layer %d, but the decoder has %d layers; choose 1..%d"
                  .formatted(depth, layers, layers - 1));
        }
        reached = depth;
        if (site.site() instanceof Site.BeforeProjector) {
          beforeProjector = Optional.of(site);
        } else if (depth < 0) {
          afterVision = Optional.of(site);
        } else {
          inDecoder.add(site);
        }
      }
      List<Expression> vision = visionTaps(sites);
      beforeProjector.ifPresent(this::checkNotInDecoder);
      afterVision.ifPresent(this::checkNotInDecoder);
      inDecoder.forEach(this::checkNoFeatures);
      sites.forEach(this::checkPositions);
      sites.forEach(this::checkScores);
      List<Optional<SitePlan>> seams = new ArrayList<>();
      List<SegmentSpec> segments = new ArrayList<>();
      List<SegmentSpec> lookaheads = new ArrayList<>();
      split(
          Stream.of(beforeProjector, afterVision)
                  .flatMap(Optional::stream)
                  .anyMatch(PruningPlan::keepsPositions)
              || leavesGaps(cache),
          inDecoder,
          seams,
          segments,
          lookaheads);
      return new PruningPlan(
          beforeProjector.map(PlannedSite::new),
          afterVision.map(PlannedSite::new),
          seams.stream().map(site -> site.map(PlannedSite::new)).toList(),
          segments.stream().map(segment -> segment.with(form(cache))).toList(),
          List.copyOf(lookaheads),
          vision,
          cache);
    }

    private void checkNotInDecoder(SitePlan site) {
      taps(site, 0, 0);
      for (Expression need : site.needs()) {
        if (site.site() instanceof Site.BeforeProjector && need.part() == Place.Part.BETWEEN) {
          throw refused(
              "it wants the %s at %s, but that is observed after the projector only"
                  .formatted(need, site.site()));
        }
      }
    }

    private void checkNoFeatures(SitePlan site) {
      for (Expression need : site.needs()) {
        boolean features = need.leaves().anyMatch(leaf -> leaf.tensor() == Leaf.Tensor.FEATURES);
        boolean pairs = need.part() != Place.Part.DECODER && need.pairsVisual();
        if (features || pairs) {
          throw refused(
              "it wants the %s at %s, but that is observed before the decoder only"
                  .formatted(need, site.site()));
        }
      }
    }

    private void checkPositions(SitePlan site) {
      if (keepsPositions(site) && !positions.isControllable()) {
        throw refused(
            "it keeps the original positions of tokens, but the decoder has no input 'position_ids' and its rotary positions were not found in the graph; export it with 'position_ids'");
      }
    }

    /** What the tower says of patches cannot be said of tokens where these are not the same. */
    private void checkScores(SitePlan site) {
      int patches = facts.vision().patches();
      for (Expression need : site.needs()) {
        boolean perPatch =
            need.axes().stream().anyMatch(Axis::isVisual)
                && need.leaves().anyMatch(leaf -> leaf.place().kind() == Place.Kind.VISION);
        if (perPatch && facts.visualTokens() * facts.vision().patchesPerToken() != patches) {
          throw refused(
              "it wants the %s at %s, which is known of %d patches, but an image becomes %d visual tokens (vision_feature_select_strategy adds [CLS] or drops a patch); choose a strategy that looks at features or text"
                  .formatted(need, site.site(), patches, facts.visualTokens()));
        }
      }
    }

    private void split(
        boolean givenFromStart,
        List<SitePlan> inDecoder,
        List<Optional<SitePlan>> seams,
        List<SegmentSpec> segments,
        List<SegmentSpec> lookaheads) {
      int from = 0;
      boolean given = givenFromStart;
      Optional<SitePlan> head = Optional.empty();
      for (SitePlan site : inDecoder) {
        int layer = ((Site.BeforeLayer) site.site()).layer();
        segments.add(new SegmentSpec(from, layer, seam(head), given, taps(site, from, layer)));
        List<Expression> ahead = sorted(site.needs().stream().filter(need -> isAhead(site, need)));
        if (!ahead.isEmpty()) {
          lookaheads.add(SegmentSpec.lookahead(layer, ahead, given));
        }
        seams.add(head);
        head = Optional.of(site);
        given |= keepsPositions(site);
        from = layer;
      }
      segments.add(new SegmentSpec(from, layers, seam(head), given, List.of()));
      seams.add(head);
    }

    private KvCacheLayout form(Optional<KvCachePlan> cache) {
      if (cache.isPresent() && cache.get() instanceof KvCachePlan.Quantised plan) {
        return new KvCacheLayout.Quantised(
            plan.bits(),
            plan.uniform() ? 0 : plan.low(),
            plan.rotated(),
            facts.decoder().headDim());
      }
      if (cache.isPresent() && cache.get() instanceof KvCachePlan.PerHead) {
        return new KvCacheLayout.Ragged(facts.decoder().heads(), facts.decoder().headDim());
      }
      return cache.isPresent() ? new KvCacheLayout.Attended() : new KvCacheLayout.Whole();
    }

    /** Tokens that leave the cache leave gaps, so that positions cannot be counted from it. */
    private boolean leavesGaps(Optional<KvCachePlan> cache) {
      boolean gaps = cache.isPresent() && !(cache.get() instanceof KvCachePlan.Quantised);
      if (gaps && !positions.isControllable()) {
        throw refused(
            "it takes tokens out of the KV cache, but the decoder has no input 'position_ids' and its rotary positions were not found in the graph; export it with 'position_ids'");
      }
      return gaps;
    }

    private static Seam seam(Optional<SitePlan> head) {
      return head.map(site -> site.merges() ? Seam.MERGE : Seam.GATHER).orElse(Seam.NONE);
    }

    /** What is wanted in the decoder layers between two sites. */
    private List<Expression> taps(SitePlan site, int from, int to) {
      List<Expression> taps = new ArrayList<>();
      for (Expression need : site.needs()) {
        if (need.part() == Place.Part.DECODER && !isAhead(site, need)) {
          checkInTime(site, need, from, to);
          taps.add(need);
        }
      }
      return sorted(taps.stream());
    }

    private static List<Expression> sorted(Stream<Expression> needs) {
      return needs
          .map(Expression::unnamed)
          .distinct()
          .sorted(Comparator.comparing(Expression::canonical))
          .toList();
    }

    /** Whether something is made of what the layer after the site computes first. */
    private static boolean isAhead(SitePlan site, Expression need) {
      int layer = site.site().depth();
      return need.part() == Place.Part.DECODER
          && need.leaves().allMatch(leaf -> leaf.place().layer() == layer && isEarly(leaf))
          && !need.leaves().allMatch(leaf -> SegmentSpec.runs(leaf, 0, layer));
    }

    private static boolean isEarly(Leaf leaf) {
      return leaf.tensor() != Leaf.Tensor.MLP;
    }

    private void checkInTime(SitePlan site, Expression need, int from, int to) {
      boolean inTime = to > 0 && need.leaves().allMatch(leaf -> SegmentSpec.runs(leaf, from, to));
      if (!inTime) {
        throw refused(
            "it wants the %s at %s, but only layers %s run between the previous site and this one"
                .formatted(need, site.site(), from == to ? "none" : from + ".." + (to - 1)));
      }
    }

    private List<Expression> visionTaps(List<SitePlan> sites) {
      List<Expression> needs =
          sites.stream()
              .flatMap(site -> site.needs().stream())
              .filter(need -> need.part() == Place.Part.VISION)
              .toList();
      for (Expression need : needs) {
        need.leaves().forEach(leaf -> checkTower(need, leaf));
      }
      return sorted(needs.stream());
    }

    private void checkTower(Expression need, Leaf leaf) {
      if (leaf.rows() == Rows.CLS && !facts.vision().hasCls()) {
        throw refused(
            "it needs the %s, a [CLS] token, but the vision tower of %s has none"
                .formatted(need, facts.name()));
      }
      int visionLayers = facts.vision().layers();
      if (leaf.place().kind() == Place.Kind.VISION && leaf.place().layer() >= visionLayers) {
        throw refused(
            "it wants the %s, but the tower has layers 0..%d".formatted(need, visionLayers - 1));
      }
    }

    private ModelException refused(String reason) {
      return new ModelException(
          Kind.REFUSED_STRATEGY,
          "strategy '%s' cannot act on %s: %s".formatted(strategy, facts.name(), reason));
    }
  }
}

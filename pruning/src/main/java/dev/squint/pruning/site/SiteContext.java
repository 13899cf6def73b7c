package dev.squint.pruning.site;

import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/** What a strategy may know about the request at a site. */
public final class SiteContext {

  private final Site site;
  private final TokenLayout layout;
  private final int[] liveOriginals;
  private final int enteredDecoder;
  private final Positions positions;
  private final long seed;

  /**
   * Rotary position ids at a site; with several axes those in time.
   *
   * @param visual one per live visual token
   * @param text one per text token after the last visual token
   */
  public record Positions(int[] visual, int[] text) {

    public Positions {
      visual = visual.clone();
      text = text.clone();
    }

    @Override
    public int[] visual() {
      return visual.clone();
    }

    @Override
    public int[] text() {
      return text.clone();
    }
  }

  /**
   * A request at a site.
   *
   * @param site where
   * @param layout the unpruned prompt
   * @param liveOriginals for each live visual token, one that has reached the site, which original
   *     visual token, one of the unpruned prompt, it is or, if merged, its origin is
   * @param enteredDecoder visual tokens that entered the decoder; before the decoder the live ones
   * @param positions rotary position ids
   * @param seed the request's seed, for strategies that draw
   */
  public SiteContext(
      Site site,
      TokenLayout layout,
      int[] liveOriginals,
      int enteredDecoder,
      Positions positions,
      long seed) {
    this.site = Objects.requireNonNull(site, "site");
    this.layout = Objects.requireNonNull(layout, "layout");
    this.liveOriginals = liveOriginals.clone();
    this.enteredDecoder = enteredDecoder;
    this.positions = Objects.requireNonNull(positions, "positions");
    this.seed = seed;
    int original = layout.visualTokens();
    for (int token : liveOriginals) {
      if (token < 0 || token >= original) {
        throw new IndexOutOfBoundsException(
            "visual token " + token + " of a prompt that has " + original);
      }
    }
    if (positions.visual.length != liveOriginals.length) {
      throw new IllegalArgumentException(
          positions.visual.length
              + " positions do not fit "
              + liveOriginals.length
              + " visual tokens");
    }
  }

  /**
   * A request of which no token has left yet.
   *
   * @param site where
   * @param layout the unpruned prompt
   * @param seed the request's seed
   * @return the context, with the prompt's own positions
   */
  public static SiteContext whole(Site site, TokenLayout layout, long seed) {
    int[] visual = layout.visualPositions();
    int after = visual.length == 0 ? 0 : visual[visual.length - 1] + 1;
    int[] text = IntStream.range(after, layout.length()).toArray();
    int[] all = IntStream.range(0, visual.length).toArray();
    return new SiteContext(site, layout, all, all.length, new Positions(visual, text), seed);
  }

  /** Where. */
  public Site site() {
    return site;
  }

  /** The unpruned prompt. */
  public TokenLayout layout() {
    return layout;
  }

  /** How many live visual tokens there are: those that have reached this site. */
  public int visualTokens() {
    return liveOriginals.length;
  }

  /** How many original visual tokens there are: those of the unpruned prompt. */
  public int originalVisualTokens() {
    return layout.visualTokens();
  }

  /** Visual tokens that entered the decoder; before the decoder the live ones. */
  public int enteredDecoder() {
    return enteredDecoder;
  }

  /**
   * Which original visual tokens are live.
   *
   * @return a new array: for each live visual token its index among the original ones, for a merged
   *     token that of its origin
   */
  public int[] liveOriginals() {
    return liveOriginals.clone();
  }

  /**
   * Where the live visual tokens come from.
   *
   * @return for each live visual token its span in the unpruned prompt
   */
  public List<VisualSpan> spans() {
    VisualSpan[] byToken = new VisualSpan[layout.visualTokens()];
    int next = 0;
    for (VisualSpan span : layout.visual()) {
      Arrays.fill(byToken, next, next + span.length(), span);
      next += span.length();
    }
    return Arrays.stream(liveOriginals).mapToObj(token -> byToken[token]).toList();
  }

  /** Rotary position ids. */
  public Positions positions() {
    return positions;
  }

  /** The request's seed, for strategies that draw. */
  public long seed() {
    return seed;
  }
}

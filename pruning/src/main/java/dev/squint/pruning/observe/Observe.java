package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;

/** Observations that published methods use, with names for traces. */
public final class Observe {

  private Observe() {}

  /**
   * Attention of the vision tower's [CLS] token to the patches: 1 row, one column per visual token
   * in row-major patch order, heads averaged. Probabilities are those after the softmax over all
   * keys ([CLS] included); the patch columns are taken out and not renormalised.
   *
   * @param layer vision layer, counted from 0
   */
  public static Expression clsAttention(int layer) {
    return Place.vision(layer)
        .probabilities(Rows.CLS)
        .mean(Axis.Kind.HEADS, Axis.Kind.QUERIES)
        .choose(Rows.VISUAL)
        .named("[CLS] attention of vision layer %d", layer);
  }

  /**
   * Attention that each visual token receives in the vision tower: 1 row, one column per visual
   * token in row-major patch order; the mean over all query tokens and heads of the probabilities
   * after the softmax. It stands in for {@link #clsAttention} in towers without a [CLS] token, such
   * as SigLIP, as VisionZip does (Yang et al., "VisionZip: Longer is Better but Not Necessary in
   * Vision Language Models", 2024).
   *
   * @param layer vision layer, counted from 0
   */
  public static Expression attentionReceived(int layer) {
    return Place.vision(layer)
        .probabilities(Rows.ALL)
        .mean(Axis.Kind.HEADS, Axis.Kind.QUERIES)
        .choose(Rows.VISUAL)
        .named("attention received in vision layer %d", layer);
  }

  /**
   * Attention of text tokens to the visual tokens in a decoder layer: one row per query row asked
   * for, one column per visual token alive in that layer. Probabilities are those after scale,
   * causal mask and the softmax over all keys; the visual columns are taken out and not
   * renormalised. With the heads kept apart, the rows of the first head come first, then those of
   * the second.
   *
   * <p>At a site before layer k the layer may be k itself: a lookahead computes that attention
   * ahead of the layer, over all tokens that arrive, at the cost of its query and key projections.
   *
   * @param layer decoder layer, counted from 0; at a site before layer k at most k
   * @param rows which queries
   * @param heads whether the heads are averaged
   */
  public static Expression textToVisualAttention(int layer, Rows rows, Heads heads) {
    Expression each = Place.decoder(layer).probabilities(rows).choose(Rows.VISUAL);
    return (heads == Heads.AVERAGED ? each.mean(Axis.Kind.HEADS) : each)
        .named("text-to-visual attention of decoder layer %d (%s, heads %s)", layer, rows, heads);
  }

  /** As above, with the heads averaged. */
  public static Expression textToVisualAttention(int layer, Rows rows) {
    return textToVisualAttention(layer, rows, Heads.AVERAGED);
  }

  /**
   * Hidden states that enter a decoder layer: one row per token asked for that is alive there, one
   * column per hidden dimension.
   *
   * @param layer decoder layer, counted from 0; at a site before layer k at most k
   * @param rows whose
   * @param normed whether they are passed through the norm after the last layer
   */
  public static Expression hiddenStates(int layer, Rows rows, boolean normed) {
    Place place = Place.decoder(layer);
    return (normed ? place.normed(rows) : place.hidden(rows))
        .named("%shidden states into decoder layer %d (%s)", normed ? "normed " : "", layer, rows);
  }

  /** As above, those of the visual tokens, as they are. */
  public static Expression hiddenStates(int layer) {
    return hiddenStates(layer, Rows.VISUAL, false);
  }

  /**
   * Keys of a decoder layer, rotary positions applied: one row per token asked for that is alive
   * there, the KV heads side by side as columns.
   *
   * @param layer decoder layer, counted from 0
   * @param rows whose
   */
  public static Expression keys(int layer, Rows rows) {
    return Place.decoder(layer)
        .k(rows)
        .joinHeads()
        .named("keys of decoder layer %d (%s)", layer, rows);
  }

  /** As above, those of the visual tokens. */
  public static Expression keys(int layer) {
    return keys(layer, Rows.VISUAL);
  }

  /**
   * How alike the features of visual tokens are: one row per visual token alive, one column per
   * token alive of the same tile or frame (the first column is its first token; a tile shorter than
   * the longest is filled up with zeros): their cosine. It is computed in native code, so that
   * features never pass through Java. Only before the decoder.
   *
   * @param stage which features
   */
  public static Expression featureSimilarity(Stage stage) {
    Expression features = Place.features(stage);
    return features.cosine(features).named("similarity of %s features", stage);
  }

  /**
   * How alike the keys of patches are in a layer of the vision tower: laid out as {@link
   * #featureSimilarity}; the cosine of the raw key projections, bias included. Only before the
   * decoder.
   *
   * @param layer vision layer, counted from 0
   * @param heads whether a key is the mean over the heads, or the heads side by side
   */
  public static Expression keySimilarity(int layer, Heads heads) {
    Expression each = Place.vision(layer).k(Rows.ALL);
    Expression keys =
        (heads == Heads.AVERAGED ? each.mean(Axis.Kind.HEADS) : each.joinHeads())
            .choose(Rows.VISUAL);
    return keys.cosine(keys)
        .named("similarity of keys in vision layer %d (heads %s)", layer, heads);
  }

  /**
   * How the question meets the image at the decoder's input: one row per text token after the last
   * visual token, one column per visual token that enters the decoder (before the decoder: alive);
   * the dot product or cosine of their embeddings.
   *
   * @param measure how two embeddings are compared
   */
  public static Expression embeddingSimilarity(Measure measure) {
    Expression text = Place.embeds(Rows.TEXT_AFTER_VISUAL);
    Expression visual = Place.embeds(Rows.VISUAL);
    return (measure == Measure.DOT ? text.dot(visual) : text.cosine(visual))
        .named("%s of text and visual embeddings", measure);
  }

  /**
   * How many of the sentence's core neurons each visual token shares in the feed-forward of a
   * decoder layer: 1 row, one column per visual token alive there (Wang et al., "CoreMatching",
   * ICML 2025). A token's core neurons are the share {@code rho} of the feed-forward's neurons with
   * the highest activation (the product that enters the last matrix) among those above 0; the
   * sentence's are the share {@code beta} of neurons that are core to the most tokens, the lower
   * index first.
   *
   * @param layer decoder layer, counted from 0
   * @param rho share of neurons, above 0 and at most 1
   * @param beta share of neurons, above 0 and at most 1
   */
  public static Expression coreNeurons(int layer, double rho, double beta) {
    if (!(rho > 0 && rho <= 1 && beta > 0 && beta <= 1)) {
      throw new StrategyException(
          "core neurons are shares above 0 and at most 1, not rho=" + rho + ", beta=" + beta);
    }
    Expression active = Place.decoder(layer).mlp(Rows.ALL);
    Expression core = active.top(rho, TopMask.Ties.ALL).times(active.greater(0));
    Expression sentence = core.mean(Axis.Kind.TOKENS).top(beta, TopMask.Ties.FIRST);
    return core.matmul(sentence)
        .choose(Rows.VISUAL)
        .named("core neurons of decoder layer %d (rho %s, beta %s)", layer, rho, beta);
  }
}

/**
 * Live tokens of a request, and the only place where one index space becomes another. Four occur,
 * of which every name says which it counts in:
 *
 * <pre>{@code
 * prompt position         0 1 2 3 4 5 6 7 8     t t V V V V V t t     all tokens of the prompt
 * original visual token       0 1 2 3 4                               visual tokens of the tower
 * live visual token           0 . . 1 2         a site kept original 0, 3 and 4
 * live row                0 1 2 . . 3 4 5 6     rows of the tensors that a segment gets
 * }</pre>
 *
 * <p>{@link dev.squint.engine.internal.tokens.LiveTokens} holds, by live row, the prompt position
 * and the original visual token, and converts. A {@link
 * dev.squint.engine.internal.tokens.TokenReduction}, what a strategy decided at a site, speaks of
 * live visual tokens; {@link dev.squint.engine.internal.tokens.PositionedTokens} applies it and
 * makes {@link dev.squint.engine.internal.tokens.SeamRows}, which speak of live rows. A token that
 * a site makes of several counts after all that arrive there, in live visual tokens as in live
 * rows, and descends from one of them, whose prompt position and original visual token are its own.
 *
 * <p>{@code dev.squint.pruning} knows two of them: a {@code Selection} speaks of live visual tokens
 * and {@code SiteContext} says which original ones these are; a {@code TokenLayout} speaks of
 * prompt positions and gives original visual tokens their order.
 */
package dev.squint.engine.internal.tokens;

/**
 * Places where tokens may leave, and what is decided there.
 *
 * <p>A {@link dev.squint.pruning.site.SiteDecision} sees the live visual tokens of its {@link
 * dev.squint.pruning.site.SiteContext} and returns a {@link dev.squint.pruning.site.Selection} of
 * them.
 */
package dev.squint.pruning.site;

package dev.squint.pruning;

import java.util.Objects;

/**
 * What a strategy may know about the request at a site.
 *
 * @param site where
 * @param layout the unpruned prompt
 * @param visualTokens visual tokens alive at this site
 * @param originalVisualTokens visual tokens of the unpruned prompt
 * @param seed the request's seed, for strategies that draw
 */
public record SiteContext(
    Site site, TokenLayout layout, int visualTokens, int originalVisualTokens, long seed) {

  public SiteContext {
    Objects.requireNonNull(site, "site");
    Objects.requireNonNull(layout, "layout");
    if (visualTokens < 0 || visualTokens > originalVisualTokens) {
      throw new IllegalArgumentException(
          visualTokens + " visual tokens cannot be alive of " + originalVisualTokens);
    }
  }
}

package dev.squint.pruning.site;

import dev.squint.pruning.observe.Observations;

/** Decides which visual tokens stay at a site. */
@FunctionalInterface
public interface SiteDecision {

  /**
   * Chooses the tokens. Called once per request, possibly from several threads for several
   * requests; not called when no visual token is alive.
   *
   * @param context the request at this site
   * @param observations what the site plan asked for
   * @return the tokens to keep
   */
  Selection select(SiteContext context, Observations observations);
}

package dev.squint.engine.internal.prune;

import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.site.SiteContext;

/** Makes observations of what flows between the parts of a model. */
@FunctionalInterface
public interface SideObserver {

  Observation observe(Expression need, SiteContext context);
}

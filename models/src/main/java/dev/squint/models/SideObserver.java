package dev.squint.models;

import dev.squint.pruning.Observation;
import dev.squint.pruning.SiteContext;
import dev.squint.pruning.observe.Expression;

/** Makes observations of what flows between the parts of a model. */
@FunctionalInterface
interface SideObserver {

  Observation observe(Expression need, SiteContext context);
}

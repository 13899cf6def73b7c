/**
 * How many visual tokens stay at which site, whatever they are scored by: {@link
 * dev.squint.pruning.schedules.Schedule} and its kinds.
 */
package dev.squint.pruning.schedules;

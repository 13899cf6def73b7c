/** Strategies turned into splits and observations, and their decisions applied. */
package dev.squint.engine.internal.prune;

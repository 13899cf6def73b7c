/**
 * Observations: small tensor expressions over named tensors of the network. A strategy writes down
 * what it wants to see as a value; the engine compiles it into the graphs and hands back the
 * result. {@link dev.squint.pruning.observe.Observe} holds those that published methods use, {@link
 * dev.squint.pruning.observe.Place} is where new ones start.
 */
package dev.squint.pruning.observe;

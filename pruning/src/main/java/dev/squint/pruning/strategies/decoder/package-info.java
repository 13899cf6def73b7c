/** Strategies that act between decoder layers, one file each. */
package dev.squint.pruning.strategies.decoder;

/** Baselines that a scoring rule has to beat. */
package dev.squint.pruning.strategies.baseline;

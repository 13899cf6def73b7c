/** Algorithms that several strategies share. */
package dev.squint.pruning.strategies.math;

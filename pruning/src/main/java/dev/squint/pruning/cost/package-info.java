/** FLOPs of a prefill and of a decode step, by formulas of the papers. */
package dev.squint.pruning.cost;

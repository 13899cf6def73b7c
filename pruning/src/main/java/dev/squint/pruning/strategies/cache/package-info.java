/** Strategies that act on the KV cache after the prefill, one file each. */
package dev.squint.pruning.strategies.cache;

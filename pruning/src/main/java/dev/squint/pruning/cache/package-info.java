/** What strategies do to the KV cache after the prefill, and when visual tokens leave for good. */
package dev.squint.pruning.cache;

/** What a strategy may see of the network. */
package dev.squint.pruning.observe;

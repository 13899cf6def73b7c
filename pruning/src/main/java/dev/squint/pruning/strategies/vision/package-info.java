/** Strategies that act before the decoder, one file each. */
package dev.squint.pruning.strategies.vision;

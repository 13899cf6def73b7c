/** What a split costs: decoders of real shapes with random weights, and the clock beside them. */
package dev.squint.engine.bench;

/** What a split costs: decoders of real shapes with random weights, and the clock next to them. */
package dev.squint.engine.bench;

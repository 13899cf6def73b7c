/**
 * Decoders: their layers, the segments they are split into, and what segments return besides hidden
 * states.
 */
package dev.squint.onnx.internal.decoder;

/** Splits a decoder for programs that run ONNX themselves; needs {@code squint-onnx} only. */
package dev.squint.samples.split;

/** Decoders split into segments that other programs can run. */
package dev.squint.onnx.split;

/** Compiles observations into graphs, or into a graph next to them. */
package dev.squint.onnx.internal.observe;

/** The graphs of a model, read once for all that is said about them. */
package dev.squint.onnx.internal.inspect;

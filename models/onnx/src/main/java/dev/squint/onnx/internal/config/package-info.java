/** Reads what a model's configuration says, as far as it matters for answers. */
package dev.squint.onnx.internal.config;

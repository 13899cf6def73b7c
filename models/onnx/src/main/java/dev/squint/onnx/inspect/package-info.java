/** Reads the files of a model and reports what they hold. */
package dev.squint.onnx.inspect;

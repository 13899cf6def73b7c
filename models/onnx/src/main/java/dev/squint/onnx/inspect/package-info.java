/** What an ONNX graph is made of. */
package dev.squint.onnx.inspect;

/**
 * ONNX Runtime: its library, environment, sessions and tensors. No other package has its types in a
 * signature that others can see.
 */
package dev.squint.engine.internal.ort;

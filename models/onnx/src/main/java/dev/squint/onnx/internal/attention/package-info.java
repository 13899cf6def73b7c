/** Attention found in graphs, decomposed or fused. */
package dev.squint.onnx.internal.attention;

/** Vision towers: their layers, their sizes, and what they return besides features. */
package dev.squint.onnx.internal.vision;

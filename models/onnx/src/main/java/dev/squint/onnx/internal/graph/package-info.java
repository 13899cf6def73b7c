/**
 * ONNX graphs read, checked and rewritten, with protobuf alone.
 *
 * <p>Weights stay where they are: what is read are the nodes and the places of the weights.
 */
package dev.squint.onnx.internal.graph;

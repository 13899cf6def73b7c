/**
 * Surgery on ONNX graphs.
 *
 * <p>{@link dev.squint.models.graph.OnnxGraph} reads a file with its weights left in the
 * external-data file. {@link dev.squint.models.graph.DecoderGraph} finds where one decoder layer
 * ends and the next begins: not by the names an exporter happened to choose, but as the nodes
 * through which every path of the hidden states must pass (dominators). {@link
 * dev.squint.models.graph.SegmentExtractor} cuts a range of layers out as a model of its own, with
 * a seam at its head that keeps chosen tokens and taps that hand out a few rows of attention.
 * {@link dev.squint.models.graph.VisionGraph} does the same for the [CLS] row of a vision tower,
 * and {@link dev.squint.models.graph.MergeGraph} writes the small graph that puts image features
 * among text embeddings.
 *
 * <p>Nothing in this package runs a model or touches native memory; the product is always the bytes
 * of a graph.
 */
package dev.squint.models.graph;

package dev.squint.onnx.report;

import java.util.Set;

/**
 * What a graph tells of its origin.
 *
 * @param exporter who made it: what the file says, which tools that ran later may have overwritten
 * @param opset opset of the default domain
 * @param nodes number of nodes
 * @param precision of the weights: {@code fp32}, {@code fp16}, {@code bf16}, {@code int8}, {@code
 *     int4}
 * @param dataFiles files next to the graph that hold weights
 */
public record GraphSummary(
    String exporter, int opset, int nodes, String precision, Set<String> dataFiles) {}

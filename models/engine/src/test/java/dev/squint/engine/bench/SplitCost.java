package dev.squint.engine.bench;

import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.SegmentExtractor;
import dev.squint.onnx.internal.decoder.SegmentSpec;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Path;
import java.util.Map;

/** What splitting a decoder before every layer costs, from the file to the segments' bytes. */
final class SplitCost {

  private SplitCost() {}

  static Map<String, ?> measure(Path folder) {
    long start = System.nanoTime();
    DecoderGraph decoder = new DecoderGraph(OnnxGraph.read(SyntheticModel.decoder(folder)));
    long bytes = 0;
    for (SegmentSpec spec :
        SegmentChain.specs(decoder.layers(), SegmentChain.Split.EVERY_LAYER_WITH_SEAMS)) {
      bytes += SegmentExtractor.extract(decoder, spec).bytes().length;
    }
    long millis = (System.nanoTime() - start) / 1_000_000;
    long heap =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .map(MemoryPoolMXBean::getPeakUsage)
            .mapToLong(usage -> usage.getUsed())
            .sum();
    return Map.of(
        "segments", decoder.layers(), "millis", millis, "bytes", bytes, "heapPeakBytes", heap);
  }
}

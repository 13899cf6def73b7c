package dev.squint.onnx.internal.decoder;

import dev.squint.error.ModelException;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.io.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Names what a split is made of: the graph with all its bytes; its data files, which may be huge,
 * with name, size and time of their last change; and the splits.
 *
 * @param hash 64 hexadecimal digits
 */
public record SplitKey(String hash) {

  /** Part of every key; to be raised whenever the same split gives other segments than before. */
  private static final int FORMAT = 2;

  /**
   * The key of a split.
   *
   * @param graph the whole decoder
   * @param specs its segments
   * @return the key
   * @throws ModelException if a data file is gone
   */
  public static SplitKey of(OnnxGraph graph, List<SegmentSpec> specs) {
    try {
      StringBuilder rest = new StringBuilder("\n%d\n".formatted(FORMAT));
      for (Path data : graph.dataFiles()) {
        rest.append(
            "%s\n%d\n%s\n"
                .formatted(data.getFileName(), Files.size(data), Files.getLastModifiedTime(data)));
      }
      specs.forEach(spec -> rest.append(spec).append('\n'));
      return new SplitKey(
          Sha256.of(graph.model().toByteArray(), rest.toString().getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new ModelException(
          "a data file of %s cannot be read any more: %s".formatted(graph.file(), e.getMessage()),
          e);
    }
  }
}

package dev.squint.models;

import ai.onnxruntime.OnnxTensor;
import dev.squint.models.graph.OnnxGraph;
import dev.squint.models.graph.VisionGraph;
import dev.squint.models.graph.VisionTap;
import dev.squint.models.runtime.ModelSession;
import dev.squint.models.runtime.TensorScope;
import dev.squint.pruning.Observation;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Runs the vision tower, with the taps of the moment and no others. */
final class VisionEncoder implements AutoCloseable {

  private static final int SESSIONS_KEPT = 2;

  private final Sessions sessions;
  private final VisionGraph graph;
  private final Path file;
  private final Path folder;
  private final LeasePool<List<VisionTap>, ModelSession> pool = new LeasePool<>(SESSIONS_KEPT);

  VisionEncoder(Sessions sessions, Path file) {
    this.sessions = sessions;
    this.file = file;
    OnnxGraph read = OnnxGraph.read(file);
    this.folder = read.folder();
    this.graph = new VisionGraph(read);
  }

  /**
   * What the tower saw.
   *
   * @param features {@code [..., hidden]}, owned by the scope given to {@link VisionEncoder#encode}
   * @param observations the attention asked for, over all patches
   */
  record Encoded(OnnxTensor features, Map<VisionTap, Observation> observations) {}

  VisionGraph graph() {
    return graph;
  }

  Encoded encode(TensorScope scope, PixelValues pixels, List<VisionTap> taps) {
    checkShape(pixels.shape());
    Set<String> wanted = new LinkedHashSet<>();
    wanted.add(VisionGraph.FEATURES);
    taps.forEach(tap -> wanted.add(tap.output()));
    try (TensorScope run = scope.sibling();
        var lease = pool.acquire(taps, () -> open(taps))) {
      OnnxTensor input = run.floats(pixels.data().duplicate(), pixels.shape());
      Map<String, OnnxTensor> out = lease.get().run(run, Map.of(VisionGraph.PIXELS, input), wanted);
      Map<VisionTap, Observation> observations = new HashMap<>();
      for (VisionTap tap : taps) {
        FloatBuffer values = out.get(tap.output()).getFloatBuffer();
        float[] row = new float[values.remaining()];
        values.get(row);
        observations.put(tap, new Observation(1, row.length, row));
      }
      return new Encoded(scope.adopt(run, out.get(VisionGraph.FEATURES)), observations);
    }
  }

  private ModelSession open(List<VisionTap> taps) {
    return taps.isEmpty() && graph.isFloat32()
        ? sessions.open(file)
        : sessions.open(graph.withTaps(taps), folder, file + " with " + taps);
  }

  private void checkShape(long[] shape) {
    for (int dimension = 1; dimension < shape.length; dimension++) {
      long declared = graph.inputDimension(dimension);
      if (declared > 0 && declared != shape[dimension]) {
        throw new ModelException(
            "%s takes pixel values of shape [pictures, %d, %d, %d], got %s; preprocess as preprocessor_config.json says"
                .formatted(
                    file,
                    graph.inputDimension(1),
                    graph.inputDimension(2),
                    graph.inputDimension(3),
                    Arrays.toString(shape)));
      }
    }
  }

  @Override
  public void close() {
    pool.close();
  }
}

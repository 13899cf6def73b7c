package dev.squint.engine.internal.session;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.squint.engine.internal.ort.ArenaPolicy;
import dev.squint.engine.internal.ort.Device;
import dev.squint.engine.internal.ort.ModelSession;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.SharedWeights;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Opens the sessions of one model, all on the same device.
 *
 * @param runtime the runtime of the process
 * @param device where the sessions run
 * @param threads threads per session where there is no common pool
 * @param aliveTensors how many native tensors of this model are open
 * @param weights what is done with weights when a session is opened
 * @param matrices the matrices that the sessions share
 */
public record SessionFactory(
    OrtRuntime runtime,
    Device device,
    int threads,
    AtomicInteger aliveTensors,
    OrtRuntime.Weights weights,
    SharedWeights matrices) {

  /** SessionFactory that run. */
  public SessionFactory(
      OrtRuntime runtime, Device device, int threads, AtomicInteger aliveTensors) {
    this(runtime, device, threads, aliveTensors, OrtRuntime.Weights.PREPARED, new SharedWeights());
  }

  /** SessionFactory that are opened to see whether they open. */
  public SessionFactory checking() {
    return new SessionFactory(
        runtime, device, threads, aliveTensors, OrtRuntime.Weights.AS_THEY_LIE, matrices);
  }

  /** Whether matrices are in memory once for all sessions. */
  boolean sharesMatrices() {
    return runtime.canShare(device, matrices);
  }

  /** A graph as it was read from its file. */
  public ModelSession open(OnnxGraph graph) {
    return open(graph.model(), graph.folder(), graph.file().toString(), ArenaPolicy.OWN);
  }

  public ModelSession open(byte[] model, Path folder, String name) {
    return open(model, folder, name, ArenaPolicy.OWN);
  }

  ModelSession open(ModelProto model, Path folder, String name, ArenaPolicy buffers) {
    return runtime.open(model, folder, device, threads, name, buffers, weights, matrices);
  }

  public ModelSession open(byte[] model, Path folder, String name, ArenaPolicy buffers) {
    return runtime.open(model, folder, device, threads, name, buffers, weights, matrices);
  }

  public TensorScope scope() {
    return new TensorScope(runtime, aliveTensors);
  }
}

package dev.squint.engine.internal.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A run that is made again and again over tensors that are all there, of which few change from one
 * time to the next. Owns none of them. Belongs to one thread.
 */
public final class StandingRun {

  private final ModelSession session;
  private final OrtSession graph;
  private final Map<String, OnnxTensor> inputs;
  private final Map<String, OnnxTensor> outputs;
  private final Optional<NativeRuns.Call> call;

  /**
   * @param graph what the session runs
   * @param inputs the inputs
   * @param outputs what is written into
   * @param runs runs without objects of Java, if there is that way
   */
  StandingRun(
      ModelSession session,
      OrtSession graph,
      Map<String, OnnxTensor> inputs,
      Map<String, OnnxTensor> outputs,
      Optional<NativeRuns> runs) {
    this.session = session;
    this.graph = graph;
    this.inputs = new HashMap<>(inputs);
    this.outputs = Map.copyOf(outputs);
    this.call = runs.flatMap(found -> found.of(graph, this.inputs, this.outputs));
  }

  /** Gives another tensor to an input. */
  @SuppressWarnings("ReferenceEquality")
  public void give(String input, OnnxTensor tensor) {
    if (inputs.put(input, tensor) != tensor && call.isPresent()) {
      call.get().give(input, tensor);
    }
  }

  /**
   * Runs the graph.
   *
   * @param scope whose control ends it
   * @throws dev.squint.error.ModelException if ONNX Runtime reports an error
   */
  public void run(TensorScope scope) {
    session.requireOpen();
    scope.run(this, session.name());
  }

  void run(Optional<RunControl> control) throws OrtException {
    if (call.isPresent()) {
      call.get().run(control);
    } else if (control.isPresent()) {
      graph.run(inputs, Set.of(), outputs, control.get().options());
    } else {
      graph.run(inputs, Set.of(), outputs);
    }
  }
}

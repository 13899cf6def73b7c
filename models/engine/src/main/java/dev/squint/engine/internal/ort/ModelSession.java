package dev.squint.engine.internal.ort;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.io.Printable;
import java.util.Map;
import java.util.Set;

/** A loaded graph that may be run by several threads at once. */
public final class ModelSession implements AutoCloseable {

  private final OrtSession session;
  private final String name;
  private final Runnable afterClose;
  private final Map<String, NodeInfo> inputs;
  private final Map<String, NodeInfo> outputs;
  private volatile boolean closed;

  ModelSession(OrtSession session, String name, Runnable afterClose) throws OrtException {
    this.session = session;
    this.name = name;
    this.afterClose = afterClose;
    this.inputs = Map.copyOf(session.getInputInfo());
    this.outputs = Map.copyOf(session.getOutputInfo());
  }

  /** Names of the inputs, all of which have to be given. */
  public Set<String> inputs() {
    return inputs.keySet();
  }

  /** Type and declared shape of an input. */
  public TensorInfo input(String input) {
    return info(inputs, input);
  }

  /** Type and declared shape of an output. */
  public TensorInfo output(String output) {
    return info(outputs, output);
  }

  private TensorInfo info(Map<String, NodeInfo> values, String value) {
    NodeInfo info = values.get(value);
    if (info == null || !(info.getInfo() instanceof TensorInfo tensor)) {
      throw new ModelException(
          "%s has no tensor named '%s', only %s"
              .formatted(name, value, Printable.of(values.keySet().toString())));
    }
    return tensor;
  }

  /** Element type of an input as Java sees it. */
  public OnnxJavaType inputType(String input) {
    return input(input).type;
  }

  /**
   * Runs the graph.
   *
   * @param scope owner of the results
   * @param given the inputs
   * @param wanted the outputs to return; no other is
   * @return the outputs by name
   * @throws ModelException if ONNX Runtime reports an error
   */
  public Map<String, OnnxTensor> run(
      TensorScope scope, Map<String, OnnxTensor> given, Set<String> wanted) {
    return run(scope, given, wanted, Map.of());
  }

  /**
   * Runs the graph.
   *
   * @param scope owner of the results
   * @param given the inputs
   * @param wanted the outputs to return; no other is
   * @param inPlace further outputs, with the tensors to write them into; they may be inputs too
   *     where the graph writes no more than what it has read
   * @return the outputs by name
   * @throws ModelException if ONNX Runtime reports an error
   */
  public Map<String, OnnxTensor> run(
      TensorScope scope,
      Map<String, OnnxTensor> given,
      Set<String> wanted,
      Map<String, OnnxTensor> inPlace) {
    return scope.run(session, given, wanted, inPlace, name);
  }

  /**
   * A run of the graph over tensors that are there.
   *
   * @param scope has the runtime
   * @param given the inputs
   * @param written outputs, with the tensors to write them into; they may be inputs too where the
   *     graph writes no more than what it has read
   */
  public StandingRun standing(
      TensorScope scope, Map<String, OnnxTensor> given, Map<String, OnnxTensor> written) {
    return new StandingRun(this, session, given, written, scope.nativeRuns());
  }

  String name() {
    return name;
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException(name + " is closed");
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      session.close();
      afterClose.run();
    } catch (OrtException e) {
      throw OrtFailure.of(Kind.INTERNAL, name + " could not be closed", "report this", e);
    }
  }
}

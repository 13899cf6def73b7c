package dev.squint.engine.internal.ort;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.squint.engine.request.IntegerInput;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.io.Printable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Owner of native tensors: all of them are closed with the scope. Scopes of one model share a
 * counter of the tensors alive. A scope belongs to one thread.
 */
public final class TensorScope implements AutoCloseable {

  private final OrtRuntime runtime;
  private final AtomicInteger alive;
  private final Optional<RunControl> control;
  private final List<OnnxTensor> owned = new ArrayList<>();

  /**
   * @param runtime the runtime that makes the tensors
   * @param alive counts tensors up when they are owned and down when they are closed
   */
  public TensorScope(OrtRuntime runtime, AtomicInteger alive) {
    this(runtime, alive, Optional.empty());
  }

  private TensorScope(OrtRuntime runtime, AtomicInteger alive, Optional<RunControl> control) {
    this.runtime = runtime;
    this.alive = alive;
    this.control = control;
  }

  /** A new scope with the same counter, whose runs are ended by the same control. */
  public TensorScope newScope() {
    return new TensorScope(runtime, alive, control);
  }

  /** A new scope with the same counter, whose runs are ended by a control. */
  public TensorScope newScope(RunControl by) {
    return new TensorScope(runtime, alive, Optional.of(by));
  }

  private OnnxTensor own(OnnxTensor tensor) {
    owned.add(tensor);
    alive.incrementAndGet();
    return tensor;
  }

  /** An int64 tensor. */
  public OnnxTensor longs(long[] values, long... shape) {
    return longs(LongBuffer.wrap(values), shape);
  }

  /** An int64 tensor of the indices that are ints in Java. */
  public OnnxTensor indices(int[] values, long... shape) {
    long[] wide = new long[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    LongBuffer buffer =
        ByteBuffer.allocateDirect(Math.max(1, wide.length) * Long.BYTES)
            .order(ByteOrder.nativeOrder())
            .asLongBuffer();
    return longs(buffer.put(wide).flip(), shape);
  }

  /** An int64 tensor over a buffer, which is not copied if it is direct. */
  public OnnxTensor longs(LongBuffer values, long... shape) {
    try {
      return own(OnnxTensor.createTensor(runtime.environment(), values, shape));
    } catch (OrtException e) {
      throw notMade(e);
    }
  }

  /** A float32 tensor over a buffer, which is not copied if it is direct. */
  public OnnxTensor floats(FloatBuffer values, long... shape) {
    try {
      return own(OnnxTensor.createTensor(runtime.environment(), values, shape));
    } catch (OrtException e) {
      throw notMade(e);
    }
  }

  /**
   * What a tensor holds, as float32, in the order of its last axis.
   *
   * @throws ModelException if it does not hold numbers of a float type
   */
  public static FloatBuffer floatsOf(OnnxTensor tensor) {
    FloatBuffer buffer = tensor.getFloatBuffer();
    if (buffer == null) {
      throw new ModelException(
          "a graph gives %s where numbers of a float type are needed; export the model again"
              .formatted(tensor.getInfo().type));
    }
    return buffer;
  }

  /**
   * The length of an axis.
   *
   * @throws ModelException if a tensor has no such axis
   */
  public static int size(OnnxTensor tensor, int axis) {
    long[] shape = tensor.getInfo().getShape();
    if (axis >= shape.length) {
      throw new ModelException(
          "a graph gives a tensor of shape %s where one with more axes is needed; export the model again"
              .formatted(Arrays.toString(shape)));
    }
    return (int) shape[axis];
  }

  /** As {@link #floatsOf}, in an array of its own. */
  public static float[] valuesOf(OnnxTensor tensor) {
    FloatBuffer buffer = floatsOf(tensor);
    if (buffer.hasArray() && buffer.array().length == buffer.remaining()) {
      return buffer.array();
    }
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  /** The last number of an int64 tensor. */
  public static long lastLong(OnnxTensor tensor) {
    LongBuffer values = tensor.getLongBuffer();
    return values.get(values.limit() - 1);
  }

  /** A tensor without elements. */
  public OnnxTensor empty(OnnxJavaType type, long... shape) {
    return bytes(type, ByteBuffer.allocateDirect(0).order(ByteOrder.nativeOrder()), shape);
  }

  /**
   * A tensor of small numbers.
   *
   * @param input the numbers
   * @param type bool, an integer type or float32
   */
  public OnnxTensor numbers(IntegerInput input, OnnxJavaType type) {
    int count = input.size();
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.max(1, count) * type.size).order(ByteOrder.nativeOrder());
    for (int i = 0; i < count; i++) {
      long number = input.at(i);
      switch (type) {
        case INT64 -> bytes.putLong(number);
        case INT32 -> bytes.putInt((int) number);
        case FLOAT -> bytes.putFloat((float) number);
        case BOOL -> bytes.put((byte) (number == 0 ? 0 : 1));
        case INT8, UINT8 -> bytes.put((byte) number);
        default ->
            throw new ModelException(
                "a vision encoder has an input of type %s where bool, integers or float32 are known; export it with one of these"
                    .formatted(type));
      }
    }
    return bytes(type, bytes.flip(), input.shape());
  }

  /** A tensor over bytes in native order, which are not copied if the buffer is direct. */
  public OnnxTensor bytes(OnnxJavaType type, ByteBuffer values, long... shape) {
    try {
      return own(OnnxTensor.createTensor(runtime.environment(), values, shape, type));
    } catch (OrtException e) {
      throw notMade(e);
    }
  }

  /**
   * Runs a session and owns what it returns.
   *
   * @param session the session
   * @param inputs its inputs
   * @param outputs the outputs wanted
   * @param inPlace further outputs, with the tensors to write them into, whose owners stay
   * @param name what runs, for messages
   * @return the outputs by name
   * @throws ModelException if ONNX Runtime reports an error
   * @throws RunControl.Ended if the request was ended
   */
  Map<String, OnnxTensor> run(
      OrtSession session,
      Map<String, OnnxTensor> inputs,
      Set<String> outputs,
      Map<String, OnnxTensor> inPlace,
      String name) {
    control.ifPresent(RunControl::check);
    try {
      OrtSession.Result result = run(session, inputs, outputs, inPlace);
      if (outputs.isEmpty()) {
        return Map.of();
      }
      // The result is a plain list of its values; this scope closes each of them instead.
      List<String> others = List.of();
      for (Map.Entry<String, OnnxValue> entry : result) {
        if (inPlace.containsKey(entry.getKey())) {
          continue;
        }
        if (entry.getValue() instanceof OnnxTensor tensor) {
          own(tensor);
        } else {
          others = others.isEmpty() ? new ArrayList<>() : others;
          others.add(entry.getKey());
          entry.getValue().close();
        }
      }
      if (!others.isEmpty()) {
        throw new ModelException(
            "%s returns %s, which is no tensor; export the model again"
                .formatted(name, Printable.of(others.toString())));
      }
      return new ResultTensors(result);
    } catch (OrtException e) {
      throw failed(name, e);
    }
  }

  private OrtSession.Result run(
      OrtSession session,
      Map<String, OnnxTensor> inputs,
      Set<String> outputs,
      Map<String, OnnxTensor> inPlace)
      throws OrtException {
    runtime.denormals().ifPresent(Denormals::takeForZero);
    try {
      return control.isPresent()
          ? session.run(inputs, outputs, inPlace, control.get().options())
          : session.run(inputs, outputs, inPlace);
    } finally {
      runtime.denormals().ifPresent(Denormals::keep);
    }
  }

  /** Runs over tensors that are there, and owns nothing of it. */
  void run(StandingRun standing, String name) {
    control.ifPresent(RunControl::check);
    runtime.denormals().ifPresent(Denormals::takeForZero);
    try {
      standing.run(control);
    } catch (OrtException e) {
      throw failed(name, e);
    } finally {
      runtime.denormals().ifPresent(Denormals::keep);
    }
  }

  private ModelException failed(String name, OrtException e) {
    control.ifPresent(RunControl::check);
    return OrtFailure.of(
        Kind.BAD_MODEL,
        name + " failed",
        "the graphs or their inputs do not fit each other, export the model again",
        e);
  }

  Optional<NativeRuns> nativeRuns() {
    return runtime.nativeRuns();
  }

  private static ModelException notMade(OrtException e) {
    return OrtFailure.of(
        Kind.INTERNAL, "a tensor could not be made", "give the process more memory", e);
  }

  /** Closes one tensor before the scope ends. */
  public void release(OnnxTensor tensor) {
    if (owned.remove(tensor)) {
      alive.decrementAndGet();
      tensor.close();
    }
  }

  /** Takes a tensor over from another scope. */
  public OnnxTensor transferFrom(TensorScope other, OnnxTensor tensor) {
    if (other.owned.remove(tensor)) {
      owned.add(tensor);
    }
    return tensor;
  }

  @Override
  public void close() {
    for (OnnxTensor tensor : owned) {
      alive.decrementAndGet();
      tensor.close();
    }
    owned.clear();
  }
}

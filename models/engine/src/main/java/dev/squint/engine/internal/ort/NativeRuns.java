package dev.squint.engine.internal.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs sessions by the native method that {@link OrtSession#run} ends in. The public method makes
 * anew in every run what is the same in each: arrays of names and a table of the outputs, some 80
 * bytes for each tensor, of which a decoder has four per layer. Where one of these members is not
 * found or not open to us there is no such way, and the public method is used.
 */
final class NativeRuns {

  private static final Logger LOG = LoggerFactory.getLogger(NativeRuns.class);

  private final MethodHandle run;
  private final MethodHandle tensorHandle;
  private final MethodHandle optionsHandle;
  private final Field sessionHandle;
  private final Field allocator;
  private final Field allocatorHandle;
  private final long api;

  private NativeRuns() throws ReflectiveOperationException {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    Method running =
        accessible(
            OrtSession.class.getDeclaredMethod(
                "run",
                long.class,
                long.class,
                long.class,
                String[].class,
                long[].class,
                long.class,
                String[].class,
                long.class,
                OnnxValue[].class,
                long[].class,
                long.class));
    run = lookup.unreflect(running);
    tensorHandle =
        lookup
            .unreflect(accessible(OnnxTensorLike.class.getDeclaredMethod("getNativeHandle")))
            .asType(MethodType.methodType(long.class, OnnxTensor.class));
    optionsHandle =
        lookup.unreflect(
            accessible(OrtSession.RunOptions.class.getDeclaredMethod("getNativeHandle")));
    sessionHandle = accessible(OrtSession.class.getDeclaredField("nativeHandle"));
    allocator = accessible(OrtSession.class.getDeclaredField("allocator"));
    allocatorHandle = accessible(allocator.getType().getDeclaredField("handle"));
    Class<?> library = Class.forName("ai.onnxruntime.OnnxRuntime");
    api = accessible(library.getDeclaredField("ortApiHandle")).getLong(null);
  }

  private static <T extends AccessibleObject> T accessible(T member) {
    member.setAccessible(true);
    return member;
  }

  /** This way, in a version of ONNX Runtime that has these members. */
  static Optional<NativeRuns> find() {
    try {
      return Optional.of(new NativeRuns());
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      LOG.debug("every run makes its arrays anew: {}", e.toString());
      return Optional.empty();
    }
  }

  /** The run of a session, if it is open to us. */
  Optional<Call> of(
      OrtSession session, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {
    try {
      return Optional.of(
          new Call(
              session,
              sessionHandle.getLong(session),
              allocatorHandle.getLong(allocator.get(session)),
              inputs,
              outputs));
    } catch (IllegalAccessException e) {
      return Optional.empty();
    }
  }

  private long handle(OnnxTensor tensor) {
    try {
      return (long) tensorHandle.invokeExact(tensor);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Names and native addresses of all that one run reads and writes. */
  final class Call {

    private final OrtSession session;
    private final long sessionAt;
    private final long allocatorAt;
    private final String[] inputNames;
    private final long[] inputs;
    private final String[] outputNames;
    private final OnnxValue[] outputValues;
    private final long[] outputs;

    private Call(
        OrtSession session,
        long sessionAt,
        long allocatorAt,
        Map<String, OnnxTensor> given,
        Map<String, OnnxTensor> written) {
      this.session = session;
      this.sessionAt = sessionAt;
      this.allocatorAt = allocatorAt;
      inputNames = given.keySet().toArray(new String[0]);
      inputs = new long[inputNames.length];
      for (int i = 0; i < inputs.length; i++) {
        inputs[i] = handle(given.get(inputNames[i]));
      }
      outputNames = written.keySet().toArray(new String[0]);
      outputs = new long[outputNames.length];
      outputValues = new OnnxValue[outputNames.length];
      for (int i = 0; i < outputs.length; i++) {
        OnnxTensor tensor = written.get(outputNames[i]);
        outputs[i] = handle(tensor);
        outputValues[i] = tensor;
      }
    }

    void give(String input, OnnxTensor tensor) {
      for (int i = 0; i < inputNames.length; i++) {
        if (inputNames[i].equals(input)) {
          inputs[i] = handle(tensor);
        }
      }
    }

    @SuppressWarnings("unused") // what is returned says whose the outputs are: ours
    void run(Optional<RunControl> control) throws OrtException {
      try {
        long options =
            control.isPresent() ? (long) optionsHandle.invokeExact(control.get().options()) : 0;
        boolean[] made =
            (boolean[])
                run.invokeExact(
                    session,
                    api,
                    sessionAt,
                    allocatorAt,
                    inputNames,
                    inputs,
                    (long) inputs.length,
                    outputNames,
                    (long) outputs.length,
                    outputValues,
                    outputs,
                    options);
      } catch (OrtException | RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }
}

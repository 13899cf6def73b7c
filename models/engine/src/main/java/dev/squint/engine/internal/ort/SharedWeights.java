package dev.squint.engine.internal.ort;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import com.sun.jna.Pointer;
import dev.squint.onnx.internal.graph.MatrixWeights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The matrices of one model, in memory once for all its sessions: those of splits that hold the
 * same layers, and those of vision towers with other taps. Each is mapped from its file once, and
 * what ONNX Runtime makes of it lies in one container; the file's pages are not kept. All is given
 * back when the last session that uses it is closed.
 */
public final class SharedWeights {

  private static final Logger LOG = LoggerFactory.getLogger(SharedWeights.class);

  private final Map<MatrixWeights.Weight, Mapped> mapped = new HashMap<>();
  private Pointer container;
  private int sessions;
  private volatile boolean refused;

  private record Mapped(OnnxTensor tensor, ByteBuffer pages) {}

  /** Opens a session, and lets go of what it has read meanwhile. */
  @FunctionalInterface
  interface Opening {
    OrtSession open(Pointer container, Runnable meanwhile) throws OrtException;
  }

  /** Whether ONNX Runtime has not refused to share weights of this model. */
  boolean works() {
    return !refused;
  }

  /** To be told where a session could be opened without sharing only. */
  void refuse(Exception reason) {
    LOG.debug("sessions of this model keep weights of their own", reason);
    refused = true;
  }

  /** Weights of a model whose sessions are to have weights of their own. */
  public static SharedWeights none() {
    SharedWeights none = new SharedWeights();
    none.refused = true;
    return none;
  }

  /** How many matrices are mapped now. */
  public synchronized int mappedMatrices() {
    return mapped.size();
  }

  /**
   * Opens a session with these matrices.
   *
   * @param api the interface
   * @param environment owner of the tensors
   * @param options those of the session, to which the matrices are added
   * @param weights the matrices, by their names in the session's graph
   * @param opening makes the session; may take seconds, and holds no lock
   * @return the session, and what to do after it has been closed
   * @throws OrtException if ONNX Runtime refuses
   * @throws UnsupportedOperationException likewise
   * @throws IOException if a matrix cannot be mapped
   */
  Opened open(
      PackingApi api,
      OrtEnvironment environment,
      SessionOptions options,
      List<MatrixWeights.Weight> weights,
      Opening opening)
      throws OrtException, IOException {
    Runnable release = () -> release(api);
    Pointer used = acquire(api);
    try {
      for (MatrixWeights.Weight weight : weights) {
        options.addInitializer(weight.name(), tensor(environment, weight));
      }
      Runnable forget = () -> forget(api, weights);
      OrtSession session = opening.open(used, forget);
      forget.run();
      return new Opened(session, release);
    } catch (OrtException | IOException | RuntimeException | Error e) {
      release.run();
      throw e;
    }
  }

  /**
   * A session that uses shared weights.
   *
   * @param session the session
   * @param afterClose to be called once, when it has been closed
   */
  record Opened(OrtSession session, Runnable afterClose) {}

  private synchronized Pointer acquire(PackingApi api) {
    if (sessions == 0) {
      container = api.container();
    }
    sessions++;
    return container;
  }

  private synchronized void release(PackingApi api) {
    sessions--;
    if (sessions == 0) {
      api.release(container);
      container = null;
      mapped.values().forEach(one -> one.tensor().close());
      mapped.clear();
    }
  }

  private synchronized OnnxTensor tensor(OrtEnvironment environment, MatrixWeights.Weight weight)
      throws IOException, OrtException {
    MatrixWeights.Weight key = withoutName(weight);
    Mapped known = mapped.get(key);
    if (known == null) {
      known = map(environment, weight);
      mapped.put(key, known);
    }
    return known.tensor();
  }

  private static MatrixWeights.Weight withoutName(MatrixWeights.Weight weight) {
    return new MatrixWeights.Weight(
        "", weight.file(), weight.offset(), weight.bytes(), weight.elementType(), weight.shape());
  }

  private static Mapped map(OrtEnvironment environment, MatrixWeights.Weight weight)
      throws IOException, OrtException {
    try (FileChannel file = FileChannel.open(weight.file(), StandardOpenOption.READ)) {
      ByteBuffer pages =
          file.map(MapMode.READ_ONLY, weight.offset(), weight.bytes())
              .order(ByteOrder.nativeOrder());
      long[] shape = weight.shape().stream().mapToLong(Long::longValue).toArray();
      return new Mapped(
          OnnxTensor.createTensor(environment, pages, shape, type(weight.elementType())), pages);
    }
  }

  private static OnnxJavaType type(int elementType) {
    return switch (elementType) {
      case TensorProto.DataType.FLOAT_VALUE -> OnnxJavaType.FLOAT;
      case TensorProto.DataType.INT8_VALUE -> OnnxJavaType.INT8;
      default -> OnnxJavaType.UINT8;
    };
  }

  private synchronized void forget(PackingApi api, List<MatrixWeights.Weight> weights) {
    weights.forEach(weight -> api.forget(mapped.get(withoutName(weight)).pages()));
  }
}

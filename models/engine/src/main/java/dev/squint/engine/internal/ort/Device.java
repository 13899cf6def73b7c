package dev.squint.engine.internal.ort;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The device that sessions run on, known to work. */
public final class Device {

  private static final Logger LOG = LoggerFactory.getLogger(Device.class);

  private final String name;
  private final Configuration configuration;

  /** Tells a session where to run. */
  @FunctionalInterface
  interface Configuration {
    void apply(SessionOptions options) throws OrtException;
  }

  Device(String name, Configuration configuration) {
    this.name = name;
    this.configuration = configuration;
  }

  /**
   * Settles where sessions run.
   *
   * @param wanted what was asked for
   * @param runtime the runtime
   * @return a device on which a tiny session could be opened
   * @throws ModelException if a GPU or a plugin was asked for and none is usable
   */
  public static Device resolve(ExecutionProvider wanted, OrtRuntime runtime) {
    if (wanted instanceof ExecutionProvider.Plugin plugin) {
      return runtime.plugins().device(plugin);
    }
    if (wanted instanceof ExecutionProvider.Cuda gpu) {
      return tryCuda(gpu.id(), runtime);
    }
    if (wanted instanceof ExecutionProvider.Auto) {
      try {
        return tryCuda(0, runtime);
      } catch (ModelException e) {
        runtime.sayFallback(e.getMessage());
      }
    }
    return new Device("cpu", options -> {});
  }

  private static Device tryCuda(int id, OrtRuntime runtime) {
    if (!OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA)) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "provider 'cuda:%d': this build of ONNX Runtime has no CUDA; put com.microsoft.onnxruntime:onnxruntime_gpu on the class path instead of onnxruntime, or choose cpu"
              .formatted(id));
    }
    Device device = new Device("cuda:" + id, options -> options.addCUDA(id));
    try (OrtSession probe = openProbe(device, runtime)) {
      LOG.debug("CUDA device {} is usable: {}", id, probe);
      return device;
    } catch (OrtException | ModelException e) {
      String reason = OrtFailure.reason(e.getMessage());
      throw new ModelException(
          Kind.BAD_REQUEST,
          "provider 'cuda:%d': no usable GPU (%s); check the driver and the CUDA libraries, or choose cpu"
              .formatted(id, reason),
          e);
    }
  }

  static OrtSession openProbe(Device device, OrtRuntime runtime) throws OrtException {
    try (SessionOptions options = new SessionOptions()) {
      device.configure(options);
      return runtime.environment().createSession(ProbeGraph.bytes(), options);
    }
  }

  void configure(SessionOptions options) throws OrtException {
    configuration.apply(options);
  }

  /** {@code cpu}, {@code cuda:ID} or the name of a plugin's provider. */
  public String name() {
    return name;
  }
}

package dev.squint.engine.internal.ort;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.squint.engine.internal.host.HostProcess;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ONNX Runtime from 1.29 on reports its use to its makers unless {@code ORT_DISABLE_TELEMETRY} says
 * not to when its library is loaded. On Linux and Android the report reads the command line of the
 * process into 4,096 bytes and so ends a process with a longer one, such as Java with a long class
 * path, while the library is loaded; on macOS it ends the process as it exits.
 */
final class Telemetry {

  private static final Logger LOG = LoggerFactory.getLogger(Telemetry.class);
  private static final String SWITCH = "ORT_DISABLE_TELEMETRY";

  private Telemetry() {}

  /** Turns it off for this process before the library is loaded, unless the host has decided. */
  static void turnOff() {
    if (!HostProcess.setEnvironment(SWITCH, "1")) {
      LOG.debug("ONNX Runtime's telemetry is left on while it starts; set {}=1 to end it", SWITCH);
    }
  }

  /** Turns off what has started all the same. */
  static void turnOff(OrtEnvironment environment) {
    if (System.getenv(SWITCH) != null) {
      return;
    }
    try {
      environment.setTelemetry(false);
    } catch (OrtException e) {
      LOG.debug("ONNX Runtime's telemetry cannot be turned off; set {}=1", SWITCH, e);
    }
  }
}

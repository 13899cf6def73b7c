package dev.squint.engine.internal.ort;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ONNX Runtime 1.29 reports its use to its makers unless {@code ORT_DISABLE_TELEMETRY} says not to.
 * On Linux the report reads the command line of the process into 4,096 bytes and so ends a process
 * with a longer one, such as Java with a long class path, while the library is loaded.
 */
final class Telemetry {

  private static final Logger LOG = LoggerFactory.getLogger(Telemetry.class);
  private static final String SWITCH = "ORT_DISABLE_TELEMETRY";
  private static final int KEEP_WHAT_IS_SET = 0;

  private Telemetry() {}

  /** Turns it off for this process before the library is loaded, unless the host has decided. */
  static void turnOff() {
    if (!System.getProperty("os.name").equals("Linux")) {
      return;
    }
    try {
      Function setenv = NativeLibrary.getInstance("c").getFunction("setenv");
      setenv.invokeInt(new Object[] {SWITCH, "1", KEEP_WHAT_IS_SET});
    } catch (LinkageError e) {
      LOG.debug("ONNX Runtime's telemetry is left on; set {}=1 to end it", SWITCH, e);
    }
  }
}

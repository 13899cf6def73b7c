package dev.squint.image;

import dev.squint.engine.internal.host.HostProcess;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** OpenCV prints to standard error about images that it cannot read, unless told not to. */
final class OpenCvLog {

  private static final Logger LOG = LoggerFactory.getLogger(OpenCvLog.class);
  private static final String LEVEL = "OPENCV_LOG_LEVEL";

  private OpenCvLog() {}

  /** Turns it off for this process before the library is loaded, unless the host has decided. */
  static void turnOff() {
    if (!HostProcess.setEnvironment(LEVEL, "SILENT")) {
      LOG.debug("OpenCV prints what it finds wrong with images; set {}=SILENT to end it", LEVEL);
    }
  }
}

package dev.squint.image;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** OpenCV prints to standard error about images that it cannot read, unless told not to. */
final class OpenCvLog {

  private static final Logger LOG = LoggerFactory.getLogger(OpenCvLog.class);
  private static final String LEVEL = "OPENCV_LOG_LEVEL";
  private static final int KEEP_WHAT_IS_SET = 0;

  private OpenCvLog() {}

  /** Turns it off for this process before the library is loaded, unless the host has decided. */
  static void turnOff() {
    if (System.getProperty("os.name").startsWith("Windows")) {
      return;
    }
    try {
      Function setenv = NativeLibrary.getInstance("c").getFunction("setenv");
      setenv.invokeInt(new Object[] {LEVEL, "SILENT", KEEP_WHAT_IS_SET});
    } catch (LinkageError e) {
      LOG.debug("OpenCV prints what it finds wrong with images; set {}=SILENT to end it", LEVEL, e);
    }
  }
}

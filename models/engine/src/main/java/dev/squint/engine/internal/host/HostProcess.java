package dev.squint.engine.internal.host;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The process that uses this library. Some native libraries and their loaders can be told what to
 * do by environment variables and system properties alone, so these are set, all of them here, and
 * never over what the host has set. With the system property {@code squint.host.changes=false} none
 * is.
 */
public final class HostProcess {

  private static final Logger LOG = LoggerFactory.getLogger(HostProcess.class);
  private static final String SWITCH = "squint.host.changes";
  private static final int KEEP_WHAT_IS_SET = 0;

  private HostProcess() {}

  private static boolean mayChange(String name) {
    boolean may = !"false".equalsIgnoreCase(System.getProperty(SWITCH));
    if (!may) {
      LOG.debug("{} is left as it is, as {}=false says", name, SWITCH);
    }
    return may;
  }

  /** Sets a system property, unless the host has set it, or an environment variable of its name. */
  public static void setProperty(String name, String value) {
    if (System.getenv(name) == null && System.getProperty(name) == null && mayChange(name)) {
      System.setProperty(name, value);
    }
  }

  /**
   * Sets an environment variable for the native libraries of this process, unless the host has set
   * it. Windows keeps two sets of variables, of which this cannot reach the one that libraries
   * read.
   *
   * @return whether libraries see it, this value or the host's
   */
  public static boolean setEnvironment(String name, String value) {
    if (System.getenv(name) != null) {
      return true;
    }
    if (System.getProperty("os.name").startsWith("Windows") || !mayChange(name)) {
      return false;
    }
    try {
      Function setenv = NativeLibrary.getInstance("c").getFunction("setenv");
      return setenv.invokeInt(new Object[] {name, value, KEEP_WHAT_IS_SET}) == 0;
    } catch (LinkageError e) {
      LOG.debug("{} could not be set", name, e);
      return false;
    }
  }
}

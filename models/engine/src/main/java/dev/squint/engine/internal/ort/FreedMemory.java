package dev.squint.engine.internal.ort;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Memory that was freed and that the C library keeps for its next callers. glibc seldom gives it
 * back by itself: of a process that closed its model half stayed resident.
 */
public final class FreedMemory {

  private static final Logger LOG = LoggerFactory.getLogger(FreedMemory.class);

  private FreedMemory() {}

  /**
   * Gives it back to the system where the C library can do that when asked; elsewhere nothing
   * happens. Takes milliseconds for each hundred megabytes.
   */
  public static void giveBack() {
    if (!System.getProperty("os.name").equals("Linux")) {
      return;
    }
    try {
      LoadedLibrary.named(LoadedLibrary.GLIBC)
          .getFunction("malloc_trim")
          .invokeInt(new Object[] {0L});
    } catch (LinkageError e) {
      LOG.debug("freed memory stays with the C library: {}", e.toString());
    }
  }
}

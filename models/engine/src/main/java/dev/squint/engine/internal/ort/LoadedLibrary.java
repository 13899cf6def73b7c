package dev.squint.engine.internal.ort;

import com.sun.jna.Library;
import com.sun.jna.NativeLibrary;
import java.util.Map;

/** Native libraries that this process has loaded already, on Linux. */
final class LoadedLibrary {

  static final String GLIBC = "libc.so.6";

  private static final int NOW_IF_LOADED = 0x2 | 0x4; // RTLD_NOW | RTLD_NOLOAD of Linux

  private LoadedLibrary() {}

  /**
   * A library by its name.
   *
   * @throws LinkageError if JNA is not there or the library is not loaded
   */
  static NativeLibrary named(String name) {
    return NativeLibrary.getInstance(name, Map.of(Library.OPTION_OPEN_FLAGS, NOW_IF_LOADED));
  }
}

package dev.squint.engine.internal.ort;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the thread that runs a session take numbers below 1.2e-38 for zero meanwhile. Intel's
 * processors take many times as long to count with them, and ONNX Runtime's fused attention comes
 * upon them in every prompt, in the scores that it hides, so that it takes two to four times as
 * long.
 *
 * <p>ONNX Runtime can tell so to its pool, and to the thread that opens the first session of the
 * process, but not to those that run sessions, which compute with the pool. These are told through
 * the C library, on Linux on x86-64, and told otherwise when the run ends, since Java counts with
 * such numbers. Where that cannot be, they stay what they are.
 */
final class Denormals {

  private static final Logger LOG = LoggerFactory.getLogger(Denormals.class);

  /** Set to false, such numbers stay what they are. */
  private static final String SWITCH = "squint.denormalsAsZero";

  private static final String LIBRARY = "libm.so.6";

  /** The C library's {@code fenv_t}: the settings of the x87 unit, then MXCSR. */
  private static final int SETTINGS_BYTES = 32;

  private static final int MXCSR_AT = 28;
  private static final int OPERANDS_AS_ZERO = 0x40;
  private static final int RESULTS_AS_ZERO = 0x8000;
  private static final int EXCEPTIONS_SEEN = 0x3F;

  private final ByteBuffer exact = settings();
  private final ByteBuffer zeroing = settings();
  private final long exactAt = address(exact);
  private final long zeroingAt = address(zeroing);

  private Denormals() {
    if (!Native.registered(Denormals.class)) {
      Native.register(Denormals.class, LoadedLibrary.named(LIBRARY));
    }
    if (fegetenv(exactAt) != 0) {
      throw new UnsupportedOperationException("the C library tells no floating-point settings");
    }
    int mxcsr = exact.getInt(MXCSR_AT) & ~EXCEPTIONS_SEEN & ~OPERANDS_AS_ZERO & ~RESULTS_AS_ZERO;
    exact.putInt(MXCSR_AT, mxcsr);
    zeroing.put(0, exact, 0, SETTINGS_BYTES);
    zeroing.putInt(MXCSR_AT, mxcsr | OPERANDS_AS_ZERO | RESULTS_AS_ZERO);
  }

  private static ByteBuffer settings() {
    return ByteBuffer.allocateDirect(SETTINGS_BYTES).order(ByteOrder.nativeOrder());
  }

  private static long address(ByteBuffer settings) {
    return Pointer.nativeValue(Native.getDirectBufferPointer(settings));
  }

  /** Whether they may be taken for zero. */
  static boolean mayBeZero() {
    return Boolean.parseBoolean(System.getProperty(SWITCH, "true"));
  }

  /** This way, on a system that has it. ONNX Runtime has to be loaded. */
  static Optional<Denormals> find() {
    if (!mayBeZero()
        || !System.getProperty("os.name").equals("Linux")
        || !System.getProperty("os.arch").equals("amd64")) {
      return Optional.empty();
    }
    try {
      return Optional.of(new Denormals());
    } catch (RuntimeException | LinkageError e) {
      LOG.debug(
          "denormal numbers stay what they are in threads that run sessions: {}", e.toString());
      return Optional.empty();
    }
  }

  /** From now on they are zero in this thread, until {@link #keep}. */
  void takeForZero() {
    fesetenv(zeroingAt);
  }

  /** From now on they are what they are in this thread. */
  void keep() {
    fesetenv(exactAt);
  }

  private static native int fegetenv(long settings);

  private static native int fesetenv(long settings);
}

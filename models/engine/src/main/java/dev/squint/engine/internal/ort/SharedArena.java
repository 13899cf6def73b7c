package dev.squint.engine.internal.ort;

import com.sun.jna.Function;
import com.sun.jna.Library;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;

/**
 * Registers one CPU arena with ONNX Runtime's environment, for all sessions that ask for it by
 * {@code session.use_env_allocators}.
 *
 * <p>By default each session has an arena of its own, which grows to the largest request it has
 * served and never shrinks: a decoder split into n segments keeps the memory of n prefills. The C
 * function that shares one ({@code CreateAndRegisterAllocator}) has no counterpart in ONNX
 * Runtime's Java classes, so it is called through JNA. The functions of {@code OrtApi} are found by
 * their place in it, which never changes once released.
 *
 * <p>The arena takes no more than most of the machine's memory, or the container's: a graph that
 * asks for more gets an error, where otherwise the system would end the process.
 */
final class SharedArena {

  private static final String LIBRARY = "libonnxruntime.so.1";
  private static final int NOW_IF_LOADED = 0x2 | 0x4; // RTLD_NOW | RTLD_NOLOAD of Linux
  private static final int API_VERSION = 11;
  private static final int LOG_FATAL = 4;
  private static final int ARENA = 1;
  private static final int DEFAULT_MEMORY = 0;

  /** Places in {@code OrtApi}. */
  private static final int GET_ERROR_MESSAGE = 2;

  private static final int CREATE_ENV = 3;
  private static final int CREATE_CPU_MEMORY_INFO = 69;
  private static final int RELEASE_STATUS = 93;
  private static final int RELEASE_MEMORY_INFO = 94;
  private static final int CREATE_AND_REGISTER_ALLOCATOR = 144;

  private static final int CREATE_ARENA_CONFIG = 156;
  private static final int RELEASE_ARENA_CONFIG = 157;
  private static final int AS_BY_DEFAULT = -1;

  private final Pointer api;

  private SharedArena(Pointer api) {
    this.api = api;
  }

  /**
   * Registers the arena with the environment of this process, which must exist.
   *
   * @throws UnsupportedOperationException if ONNX Runtime refuses
   * @throws LinkageError if JNA is not there or ONNX Runtime's library is not found by it
   */
  static void register() {
    NativeLibrary library =
        NativeLibrary.getInstance(LIBRARY, Map.of(Library.OPTION_OPEN_FLAGS, NOW_IF_LOADED));
    Pointer base = library.getFunction("OrtGetApiBase").invokePointer(new Object[0]);
    Pointer api =
        Function.getFunction(base.getPointer(0)).invokePointer(new Object[] {API_VERSION});
    if (api == null) {
      throw new UnsupportedOperationException("no OrtApi of version " + API_VERSION);
    }
    new SharedArena(api).registerWithEnvironment();
  }

  private void registerWithEnvironment() {
    PointerByReference environment = new PointerByReference();
    PointerByReference memory = new PointerByReference();
    PointerByReference arena = new PointerByReference();
    // There is one environment in a process; this takes part in it and never lets go. ONNX Runtime
    // closes its own share in a shutdown hook, which would take the environment from under calls
    // that are still running and crash the process.
    call(CREATE_ENV, LOG_FATAL, "squint", environment);
    call(CREATE_CPU_MEMORY_INFO, ARENA, DEFAULT_MEMORY, memory);
    try {
      call(CREATE_ARENA_CONFIG, most(), AS_BY_DEFAULT, AS_BY_DEFAULT, AS_BY_DEFAULT, arena);
      call(
          CREATE_AND_REGISTER_ALLOCATOR,
          environment.getValue(),
          memory.getValue(),
          arena.getValue());
    } finally {
      if (arena.getValue() != null) {
        function(RELEASE_ARENA_CONFIG).invokeVoid(new Object[] {arena.getValue()});
      }
      function(RELEASE_MEMORY_INFO).invokeVoid(new Object[] {memory.getValue()});
    }
  }

  /** Nine tenths of the memory in bytes; 0, which sets no bound, where that is not told. */
  private static long most() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? system.getTotalMemorySize() / 10 * 9
        : 0;
  }

  private void call(int place, Object... arguments) {
    Pointer status = function(place).invokePointer(arguments);
    if (status != null) {
      String message =
          function(GET_ERROR_MESSAGE).invokePointer(new Object[] {status}).getString(0);
      function(RELEASE_STATUS).invokeVoid(new Object[] {status});
      throw new UnsupportedOperationException(message);
    }
  }

  private Function function(int place) {
    return Function.getFunction(api.getPointer((long) place * Long.BYTES));
  }
}

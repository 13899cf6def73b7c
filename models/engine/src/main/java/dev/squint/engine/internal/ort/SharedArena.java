package dev.squint.engine.internal.ort;

import com.sun.jna.Pointer;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * Registers one CPU arena with ONNX Runtime's environment, for all sessions that ask for it by
 * {@code session.use_env_allocators}.
 *
 * <p>By default each session has an arena of its own, which grows to the largest request it has
 * served and never shrinks: a decoder split into n segments keeps the memory of n prefills. The C
 * function that shares one ({@code CreateAndRegisterAllocator}) has no counterpart in ONNX
 * Runtime's Java classes.
 *
 * <p>The arena takes no more than most of the machine's memory, or the container's: a graph that
 * asks for more gets an error, where otherwise the system would end the process.
 */
final class SharedArena {

  private static final int ARENA = 1;
  private static final int DEFAULT_MEMORY = 0;

  /** Places in {@code OrtApi}. */
  private static final int CREATE_CPU_MEMORY_INFO = 69;

  private static final int RELEASE_MEMORY_INFO = 94;
  private static final int CREATE_AND_REGISTER_ALLOCATOR = 144;

  private static final int CREATE_ARENA_CONFIG = 156;
  private static final int RELEASE_ARENA_CONFIG = 157;
  private static final int AS_BY_DEFAULT = -1;

  private SharedArena() {}

  /**
   * Registers the arena with the environment of this process, which must exist.
   *
   * @throws UnsupportedOperationException if ONNX Runtime refuses
   * @throws LinkageError if JNA is not there or ONNX Runtime's library is not found by it
   */
  static void register() {
    OrtApi api = OrtApi.ofThisProcess();
    Pointer environment = api.environment();
    Pointer memory = api.made(CREATE_CPU_MEMORY_INFO, ARENA, DEFAULT_MEMORY);
    try {
      Pointer arena =
          api.made(CREATE_ARENA_CONFIG, most(), AS_BY_DEFAULT, AS_BY_DEFAULT, AS_BY_DEFAULT);
      try {
        api.call(CREATE_AND_REGISTER_ALLOCATOR, environment, memory, arena);
      } finally {
        api.release(RELEASE_ARENA_CONFIG, arena);
      }
    } finally {
      api.release(RELEASE_MEMORY_INFO, memory);
    }
  }

  /** Nine tenths of the memory in bytes; 0, which sets no bound, where that is not told. */
  private static long most() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? system.getTotalMemorySize() / 10 * 9
        : 0;
  }
}

package dev.squint.engine.internal.ort;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import com.sun.jna.Function;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens sessions that take the weights they lay out anew from one container. ONNX Runtime's C
 * interface has that ({@code CreateSessionFromArrayWithPrepackedWeightsContainer}), its Java
 * classes have not: the session is made through JNA and handed to the private constructor that the
 * public ones end in. Where JNA, the library or one of these members is not found, there is no such
 * interface and every session has weights of its own.
 */
final class PackingApi {

  private static final Logger LOG = LoggerFactory.getLogger(PackingApi.class);

  /** Places in {@code OrtApi}. */
  private static final int RELEASE_SESSION = 95;

  private static final int CREATE_CONTAINER = 166;
  private static final int RELEASE_CONTAINER = 167;
  private static final int CREATE_SESSION = 169;

  /** Set to false, it has every session keep weights of its own. */
  private static final String SWITCH = "squint.sharedWeights";

  private static final int NOT_NEEDED = 4; // MADV_DONTNEED of Linux

  private final OrtApi api;
  private final Pointer environment;
  private final Function advise;
  private final long page;
  private final Object allocator;
  private final Constructor<OrtSession> wrapper;
  private final Method optionsHandle;

  private PackingApi(OrtEnvironment java) throws ReflectiveOperationException {
    Field defaultAllocator = accessible(OrtEnvironment.class.getDeclaredField("defaultAllocator"));
    allocator = defaultAllocator.get(java);
    wrapper =
        accessible(OrtSession.class.getDeclaredConstructor(long.class, defaultAllocator.getType()));
    optionsHandle = accessible(SessionOptions.class.getDeclaredMethod("getNativeHandle"));
    api = OrtApi.ofThisProcess();
    environment = api.environment();
    NativeLibrary libc = LoadedLibrary.named(LoadedLibrary.GLIBC);
    advise = libc.getFunction("madvise");
    page = libc.getFunction("getpagesize").invokeInt(new Object[0]);
  }

  private static <T extends AccessibleObject> T accessible(T member) {
    member.setAccessible(true);
    return member;
  }

  /** The interface, on Linux with JNA and a version of ONNX Runtime that has these members. */
  static Optional<PackingApi> find(OrtEnvironment environment) {
    if (!System.getProperty("os.name").equals("Linux")
        || !Boolean.parseBoolean(System.getProperty(SWITCH, "true"))) {
      return Optional.empty();
    }
    try {
      return Optional.of(new PackingApi(environment));
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      LOG.debug("every session keeps weights of its own: {}", e.toString());
      return Optional.empty();
    }
  }

  /** A container without weights. */
  Pointer container() {
    return api.made(CREATE_CONTAINER);
  }

  /** Gives up a container that no open session uses. */
  void release(Pointer container) {
    api.release(RELEASE_CONTAINER, container);
  }

  /**
   * Opens a session.
   *
   * @throws UnsupportedOperationException if ONNX Runtime refuses
   */
  OrtSession open(byte[] model, SessionOptions options, Pointer container) throws OrtException {
    try {
      Pointer handle = new Pointer((long) optionsHandle.invoke(options));
      Pointer session =
          api.made(CREATE_SESSION, environment, model, (long) model.length, handle, container);
      try {
        return wrapper.newInstance(Pointer.nativeValue(session), allocator);
      } catch (ReflectiveOperationException | RuntimeException e) {
        api.release(RELEASE_SESSION, session);
        throw e;
      }
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof OrtException refused) {
        throw refused;
      }
      throw new UnsupportedOperationException(e);
    } catch (ReflectiveOperationException e) {
      throw new UnsupportedOperationException(e);
    }
  }

  /** Lets the system take back the pages of a mapped file until they are read again. */
  void forget(ByteBuffer mapped) {
    long start = Pointer.nativeValue(Native.getDirectBufferPointer(mapped));
    // What lies around it on its first and last page is not ours.
    long first = (start + page - 1) / page * page;
    long end = (start + mapped.capacity()) / page * page;
    if (end > first) {
      advise.invokeInt(new Object[] {new Pointer(first), end - first, NOT_NEEDED});
    }
  }
}

package dev.squint.engine.internal.ort;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.util.Arrays;

/**
 * Functions of ONNX Runtime's C interface that its Java classes lack, called through JNA. They are
 * found by their place in {@code OrtApi}, which never changes once released.
 */
final class OrtApi {

  private static final String LIBRARY = "libonnxruntime.so.1";
  private static final int API_VERSION = 11;
  private static final int LOG_FATAL = 4;

  private static final int GET_ERROR_MESSAGE = 2;
  private static final int CREATE_ENV = 3;
  private static final int RELEASE_STATUS = 93;

  private final Pointer api;

  private OrtApi(Pointer api) {
    this.api = api;
  }

  /**
   * The interface of the library that this process has loaded.
   *
   * @throws UnsupportedOperationException if it is too old
   * @throws LinkageError if JNA is not there or the library is not found by it
   */
  static OrtApi ofThisProcess() {
    NativeLibrary library = LoadedLibrary.named(LIBRARY);
    Pointer base = library.getFunction("OrtGetApiBase").invokePointer(new Object[0]);
    Pointer api =
        Function.getFunction(base.getPointer(0)).invokePointer(new Object[] {API_VERSION});
    if (api == null) {
      throw new UnsupportedOperationException("no OrtApi of version " + API_VERSION);
    }
    return new OrtApi(api);
  }

  /**
   * The environment of this process, which must exist. There is one; this takes part in it and
   * never lets go. ONNX Runtime closes its own share in a shutdown hook, which would take the
   * environment from under calls that are still running and crash the process.
   */
  Pointer environment() {
    return made(CREATE_ENV, LOG_FATAL, "squint");
  }

  /**
   * Calls a function whose last argument is where it puts what it makes.
   *
   * @return what it has made
   * @throws UnsupportedOperationException if ONNX Runtime refuses
   */
  Pointer made(int place, Object... arguments) {
    PointerByReference made = new PointerByReference();
    Object[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = made;
    call(place, all);
    return made.getValue();
  }

  /**
   * Calls a function that returns a status.
   *
   * @throws UnsupportedOperationException if ONNX Runtime refuses
   */
  void call(int place, Object... arguments) {
    Pointer status = function(place).invokePointer(arguments);
    if (status != null) {
      String message =
          function(GET_ERROR_MESSAGE).invokePointer(new Object[] {status}).getString(0);
      function(RELEASE_STATUS).invokeVoid(new Object[] {status});
      throw new UnsupportedOperationException(message);
    }
  }

  /** Calls a function that releases something. */
  void release(int place, Pointer released) {
    function(place).invokeVoid(new Object[] {released});
  }

  private Function function(int place) {
    return Function.getFunction(api.getPointer((long) place * Long.BYTES));
  }
}

package dev.squint.engine.internal.ort;

import java.lang.reflect.InvocationTargetException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets DJL's OnnxRuntime engine go first. It must create ONNX Runtime's environment itself: started
 * later than us, it fails in its static initialiser and stays broken for the life of the process.
 * This module does not depend on DJL, so the engine is looked up by name; where it is absent
 * nothing happens.
 */
final class DjlOnnxEngine {

  private static final Logger LOG = LoggerFactory.getLogger(DjlOnnxEngine.class);
  private static final String PROVIDER = "ai.djl.onnxruntime.engine.OrtEngineProvider";

  /** The system property by which DJL sizes the pool that it makes. */
  static final String POOL_SIZE = "ai.djl.onnxruntime.num_threads";

  private DjlOnnxEngine() {}

  /** A thread that has been interrupted starts it all the same and stays interrupted. */
  static void startIfPresent() {
    boolean interrupted = Thread.interrupted();
    try {
      Class<?> provider = Class.forName(PROVIDER, true, classLoader());
      provider.getMethod("getEngine").invoke(provider.getConstructor().newInstance());
      LOG.debug("DJL's OnnxRuntime engine was started first");
    } catch (ClassNotFoundException e) {
      LOG.trace("DJL's OnnxRuntime engine is not on the class path");
    } catch (InvocationTargetException e) {
      LOG.debug(
          "DJL's OnnxRuntime engine did not start; somebody created the environment before", e);
    } catch (ReflectiveOperationException | LinkageError e) {
      LOG.debug("DJL's OnnxRuntime engine is on the class path but cannot be started", e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Whether DJL has been told to make a pool of this size. */
  static boolean hasPoolOf(int threads) {
    return Integer.valueOf(threads).equals(Integer.getInteger(POOL_SIZE));
  }

  private static ClassLoader classLoader() {
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    return context == null ? DjlOnnxEngine.class.getClassLoader() : context;
  }
}

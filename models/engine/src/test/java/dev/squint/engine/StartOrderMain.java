package dev.squint.engine;

import ai.djl.engine.Engine;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import com.sun.jna.NativeLibrary;
import dev.squint.engine.internal.ort.OrtRuntime;

/** A process in which host, DJL and Squint start in a given order. */
public final class StartOrderMain {

  private StartOrderMain() {}

  /** Runs one order, named by the only argument. */
  public static void main(String[] arguments) throws OrtException {
    String order = arguments[0];
    switch (order) {
      case "host-first" -> OrtEnvironment.getEnvironment();
      case "host-pool-first" -> {
        try (var pool = new OrtEnvironment.ThreadingOptions()) {
          OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING, "host", pool);
        }
      }
      case "djl-first" -> Djl.start();
      default -> {}
    }
    try (VisionLanguageModel model = TinyLlava.open()) {
      System.out.println("nativePath=" + System.getProperty("onnxruntime.native.path"));
      if (hasJna()) {
        System.out.println("telemetry=" + Libc.getenv("ORT_DISABLE_TELEMETRY"));
      }
      System.out.println("sharedArena=" + OrtRuntime.get(0).sharedArena());
      System.out.println("pooled=" + OrtRuntime.get(0).pooled());
      if (TinyLlava.answersAsPyTorchDoes(model)) {
        System.out.println("answered");
      }
    }
  }

  private static boolean hasJna() {
    return StartOrderMain.class.getResource("/com/sun/jna/NativeLibrary.class") != null;
  }

  /** Apart, so that the class loads without JNA. */
  private static final class Libc {
    static String getenv(String name) {
      return NativeLibrary.getInstance("c")
          .getFunction("getenv")
          .invokeString(new Object[] {name}, false);
    }
  }

  /** Apart, so that the class loads without DJL. */
  private static final class Djl {
    static void start() {
      System.out.println("djl=" + Engine.getEngine("OnnxRuntime").getEngineName());
    }
  }
}

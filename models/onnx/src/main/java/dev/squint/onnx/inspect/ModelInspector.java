package dev.squint.onnx.inspect;

import dev.squint.error.ModelException;
import dev.squint.onnx.internal.inspect.ModelGraphs;
import dev.squint.onnx.report.ModelReport;
import java.nio.file.Path;
import java.util.OptionalInt;

/** Reads the graphs of an exported model and says what was found, without running anything. */
public final class ModelInspector {

  private ModelInspector() {}

  /**
   * Inspects a model.
   *
   * @param model a folder in hub, onnxruntime-genai or Mobius layout, or one ONNX file
   * @param precision which files of a hub-layout folder, such as {@code q4}; empty for the most
   *     exact
   * @return what was found
   * @throws ModelException if there is no model or one of its files is broken
   */
  public static ModelReport inspect(Path model, String precision) {
    return ModelGraphs.read(model, precision, OptionalInt.empty()).report();
  }
}

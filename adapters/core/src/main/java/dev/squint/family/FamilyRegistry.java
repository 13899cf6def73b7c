package dev.squint.family;

import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.Printable;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;

/** The families on the class path. */
final class FamilyRegistry {

  private FamilyRegistry() {}

  /**
   * The family of a type.
   *
   * @throws ModelException if none knows it
   */
  static ModelFamilyProvider find(String modelType) {
    Set<String> known = new TreeSet<>();
    for (ModelFamilyProvider provider : all()) {
      if (provider.modelTypes().contains(modelType)) {
        return provider;
      }
      known.addAll(provider.modelTypes());
    }
    throw new ModelException(
        "config.json: model_type '%s' is of a family that Squint does not know; use a model of type %s"
            .formatted(Printable.of(modelType), quoted(known)));
  }

  private static String quoted(Set<String> types) {
    return "'" + String.join("', '", types) + "'";
  }

  /** Those that this library's loader sees, and then those that the thread's does. */
  private static List<ModelFamilyProvider> all() {
    ClassLoader own = ModelFamilyProvider.class.getClassLoader();
    List<ModelFamilyProvider> found = new ArrayList<>();
    try {
      ServiceLoader.load(ModelFamilyProvider.class, own).forEach(found::add);
      ClassLoader context = Thread.currentThread().getContextClassLoader();
      if (context != null && !context.equals(own)) {
        ServiceLoader.load(ModelFamilyProvider.class, context).forEach(found::add);
      }
    } catch (ServiceConfigurationError e) {
      throw new ModelException(
          "a model family on the class path cannot be loaded: " + e.getMessage(), e);
    }
    return found;
  }
}

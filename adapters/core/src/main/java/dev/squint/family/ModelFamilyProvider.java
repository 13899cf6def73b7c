package dev.squint.family;

import dev.squint.engine.VisionLanguageModel;
import java.util.Set;

/**
 * Makes a family ready for a model. The {@link java.util.ServiceLoader} finds it where its class,
 * public with a public constructor without parameters, is named in {@code
 * META-INF/services/dev.squint.family.ModelFamilyProvider}.
 */
public interface ModelFamilyProvider {

  /** The {@code model_type} of each model that it knows. */
  Set<String> modelTypes();

  /**
   * The family as one model has it.
   *
   * @param model a loaded model of one of these types
   * @return it, closed with the model
   * @throws dev.squint.error.ModelException if a file that it needs is missing, or says something
   *     that would change the answer and is not understood
   */
  ModelFamily open(VisionLanguageModel model);
}

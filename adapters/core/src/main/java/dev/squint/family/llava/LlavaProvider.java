package dev.squint.family.llava;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.family.ModelFamily;
import dev.squint.family.ModelFamilyProvider;
import java.util.Set;

/** LLaVA-1.5. */
public final class LlavaProvider implements ModelFamilyProvider {

  @Override
  public Set<String> modelTypes() {
    return Set.of("llava");
  }

  @Override
  public ModelFamily open(VisionLanguageModel model) {
    return LlavaFamily.open(model);
  }
}

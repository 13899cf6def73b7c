package dev.squint.family.idefics3;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.family.ModelFamily;
import dev.squint.family.ModelFamilyProvider;
import java.util.Set;

/** Idefics3 and SmolVLM, which differ in nothing but their names. */
public final class Idefics3Provider implements ModelFamilyProvider {

  @Override
  public Set<String> modelTypes() {
    return Set.of("idefics3", "smolvlm");
  }

  @Override
  public ModelFamily open(VisionLanguageModel model) {
    return Idefics3Family.open(model);
  }
}

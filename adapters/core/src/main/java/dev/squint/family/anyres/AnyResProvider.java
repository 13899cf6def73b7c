package dev.squint.family.anyres;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.family.ModelFamily;
import dev.squint.family.ModelFamilyProvider;
import java.util.Set;

/** LLaVA-OneVision and LLaVA-NeXT. */
public final class AnyResProvider implements ModelFamilyProvider {

  @Override
  public Set<String> modelTypes() {
    return Set.of(AnyResFamily.ONEVISION, AnyResFamily.NEXT);
  }

  @Override
  public ModelFamily open(VisionLanguageModel model) {
    return AnyResFamily.open(model);
  }
}

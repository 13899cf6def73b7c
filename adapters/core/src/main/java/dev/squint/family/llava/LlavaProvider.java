package dev.squint.family.llava;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.family.ModelFamily;
import dev.squint.family.ModelFamilyProvider;
import java.util.Set;

/** LLaVA-1.5, LLaVA-Interleave, FastVLM and Moondream2. */
public final class LlavaProvider implements ModelFamilyProvider {

  @Override
  public Set<String> modelTypes() {
    return Set.of("llava", "llava_qwen2", "fast_vlm", Moondream.TYPE);
  }

  @Override
  public ModelFamily open(VisionLanguageModel model) {
    return LlavaFamily.open(model);
  }
}

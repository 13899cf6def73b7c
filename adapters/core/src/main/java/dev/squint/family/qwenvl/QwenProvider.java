package dev.squint.family.qwenvl;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.family.ModelFamily;
import dev.squint.family.ModelFamilyProvider;
import java.util.Set;

/** Qwen2-VL, Qwen2.5-VL and Qwen3-VL. */
public final class QwenProvider implements ModelFamilyProvider {

  @Override
  public Set<String> modelTypes() {
    return Set.of("qwen2_vl", "qwen2_5_vl", "qwen3_vl");
  }

  @Override
  public ModelFamily open(VisionLanguageModel model) {
    return QwenFamily.open(model);
  }
}

package dev.squint.engine;

import dev.squint.onnx.split.ModelSplitter;
import dev.squint.onnx.split.SplitOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** Another process that splits into the same cache. */
final class SplitMain {

  static final List<Set<Integer>> SPLITS = List.of(Set.of(1), Set.of(3), Set.of(1, 3));

  private SplitMain() {}

  public static void main(String[] arguments) {
    for (Set<Integer> splits : SPLITS) {
      ModelSplitter.splitCached(
          Path.of(arguments[0]),
          "",
          SplitOptions.at(splits).copyWeights(true).build(),
          Path.of(arguments[1]));
    }
  }
}

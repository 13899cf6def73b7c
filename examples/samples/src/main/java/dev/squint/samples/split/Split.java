package dev.squint.samples.split;

import dev.squint.onnx.split.ModelSplitter;
import dev.squint.onnx.split.SplitOptions;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** Splits a decoder before its third layer and has the first part return an attention row. */
public final class Split {

  private Split() {}

  /** Splits the decoder of the model named first into the folder named second. */
  public static void main(String[] arguments) {
    SplitOptions options =
        SplitOptions.at(Set.of(2))
            .taps(List.of(Observe.textToVisualAttention(1, Rows.LAST)))
            .copyWeights(true)
            .build();
    Path folder = ModelSplitter.split(Path.of(arguments[0]), "", options, Path.of(arguments[1]));
    System.out.println(folder.resolve("manifest.json"));
  }
}

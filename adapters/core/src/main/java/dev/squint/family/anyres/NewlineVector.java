package dev.squint.family.anyres;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.StoredVector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The vector that goes after each row of visual tokens. The hub's graphs do not hold it; it is in
 * the weights of the model they were exported from, or may be put beside the graphs by itself.
 * Another exporter may leave it in the file of the vision encoder.
 */
final class NewlineVector {

  private static final String NUMPY = "image_newline.npy";
  private static final String WEIGHTS = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final Pattern FILE_NAME = Pattern.compile("[\\w.-]{1,200}");
  private static final List<String> NAMES = List.of("model.image_newline", "image_newline");

  private NewlineVector() {}

  /**
   * Finds it in the folder of a model, else in the graph of its vision encoder, as {@code
   * image_newline}.
   *
   * @throws ModelException if there is one of another size, or a file is damaged
   */
  static Optional<float[]> find(VisionLanguageModel model) {
    int width = model.config().text().hidden();
    return find(model.folder(), width)
        .or(
            () ->
                model
                    .visionVector(NAMES)
                    .map(found -> fitting(found, "the vision encoder", width)));
  }

  /**
   * Finds it in a model folder: in {@code image_newline.npy}, else in {@code model.safetensors} or
   * in the part of it that {@code model.safetensors.index.json} names.
   *
   * @param width numbers that it has to have
   * @throws ModelException if there is one of another size, or a file is damaged
   */
  static Optional<float[]> find(Path folder, int width) {
    Path numpy = folder.resolve(NUMPY);
    if (Files.exists(numpy)) {
      return Optional.of(fitting(StoredVector.ofNumpy(numpy), numpy, width));
    }
    Path weights = folder.resolve(WEIGHTS);
    if (!Files.exists(weights)) {
      ModelJson parts = ModelJson.readIfThere(folder.resolve(INDEX)).section("weight_map");
      Optional<Path> part =
          NAMES.stream()
              .flatMap(name -> parts.text(name).stream())
              .filter(name -> FILE_NAME.matcher(name).matches())
              .findFirst()
              .map(folder::resolve);
      if (part.isEmpty() || !Files.exists(part.get())) {
        return Optional.empty();
      }
      weights = part.get();
    }
    Path file = weights;
    return StoredVector.ofSafetensors(file, NAMES).map(found -> fitting(found, file, width));
  }

  private static float[] fitting(float[] found, Object file, int width) {
    if (found.length != width) {
      throw new ModelException(
          "%s: the newline has %d numbers, but the decoder's hidden states have %d; use the file of this model"
              .formatted(file, found.length, width));
    }
    return found;
  }
}

package dev.squint.evaluation.data;

import java.nio.file.Path;
import java.util.List;

/**
 * GQA (Hudson and Manning, CVPR 2019): an object of questions by id. The type is the structural.
 */
final class Gqa {

  private Gqa() {}

  static boolean recognises(JsonStream.Shape shape) {
    return !shape.array() && shape.records("question", "imageId");
  }

  static void read(Path file, DataSetBuilder records) {
    ImageFinder images = new ImageFinder(file.toAbsolutePath().getParent());
    new JsonStream(file)
        .each(
            "",
            (id, node) -> {
              String image = JsonStream.id(node, "imageId");
              if (image.isEmpty()) {
                records.skip(id, "imageId is missing");
              } else {
                records.add(
                    id,
                    images.find(image + ".jpg", image + ".png", image),
                    JsonStream.text(node, "question"),
                    List.of(JsonStream.text(node, "answer")),
                    List.of(),
                    JsonStream.text(node.path("types"), "structural"));
              }
            });
  }
}

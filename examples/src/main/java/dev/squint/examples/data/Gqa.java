package dev.squint.examples.data;

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

  static void read(Path file, Records records) {
    Pictures pictures = new Pictures(file.toAbsolutePath().getParent());
    new JsonStream(file)
        .each(
            "",
            (id, node) -> {
              String image = JsonStream.id(node, "imageId");
              if (image.isEmpty()) {
                records.defect(id, "imageId is missing");
              } else {
                records.add(
                    id,
                    pictures.find(image + ".jpg", image + ".png", image),
                    JsonStream.text(node, "question"),
                    List.of(JsonStream.text(node, "answer")),
                    List.of(),
                    JsonStream.text(node.path("types"), "structural"));
              }
            });
  }
}

package dev.squint.evaluation.data;

import java.nio.file.Path;
import java.util.List;

/** TextVQA (Singh et al., CVPR 2019): {@code data} of questions with ten answers each. */
final class TextVqa {

  private TextVqa() {}

  static boolean recognises(JsonStream.Shape shape) {
    return shape.field("data", "question", "image_id");
  }

  static void read(Path file, DataSetBuilder records) {
    ImageFinder images = new ImageFinder(file.toAbsolutePath().getParent());
    new JsonStream(file)
        .each(
            "data",
            (place, node) -> {
              String id = node.has("question_id") ? JsonStream.id(node, "question_id") : place;
              String image = JsonStream.id(node, "image_id");
              if (image.isEmpty()) {
                records.skip(id, "image_id is missing");
                return;
              }
              records.add(
                  id,
                  images.find(image + ".jpg", image + ".png", image),
                  JsonStream.text(node, "question"),
                  JsonStream.texts(node.path("answers")),
                  List.of(),
                  "");
            });
  }
}

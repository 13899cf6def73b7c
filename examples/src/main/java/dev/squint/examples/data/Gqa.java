package dev.squint.examples.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;

/**
 * GQA (Hudson and Manning, CVPR 2019): an object of questions by id. The type is the structural.
 */
final class Gqa {

  private Gqa() {}

  static boolean recognises(JsonStream.Shape shape) {
    return !shape.array() && shape.first().has("question") && shape.first().has("imageId");
  }

  static void read(Path file, Records records) {
    Pictures pictures = new Pictures(file.toAbsolutePath().getParent());
    new JsonStream(file)
        .each(
            "",
            (id, node) -> {
              String image = node.path("imageId").asText("");
              if (image.isEmpty()) {
                records.defect(id, "imageId is missing");
              } else {
                JsonNode answer = node.path("answer");
                records.add(
                    id,
                    pictures.find(image + ".jpg", image + ".png"),
                    node.path("question").asText(""),
                    answer.isTextual() ? List.of(answer.textValue()) : List.of(),
                    List.of(),
                    node.path("types").path("structural").asText(""));
              }
            });
  }
}

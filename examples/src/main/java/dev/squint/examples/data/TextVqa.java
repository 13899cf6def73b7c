package dev.squint.examples.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** TextVQA (Singh et al., CVPR 2019): {@code data} of questions with ten answers each. */
final class TextVqa {

  private TextVqa() {}

  static boolean recognises(JsonStream.Shape shape) {
    JsonNode first = shape.fields().path("data");
    return first.has("question") && first.has("image_id");
  }

  static void read(Path file, Records records) {
    Pictures pictures = new Pictures(file.toAbsolutePath().getParent());
    new JsonStream(file)
        .each(
            "data",
            (place, node) -> {
              String id = node.path("question_id").asText(place);
              String image = node.path("image_id").asText("");
              if (image.isEmpty()) {
                records.defect(id, "image_id is missing");
                return;
              }
              List<String> answers = new ArrayList<>();
              node.path("answers").forEach(answer -> answers.add(answer.asText("")));
              records.add(
                  id,
                  pictures.find(image + ".jpg", image + ".png"),
                  node.path("question").asText(""),
                  answers,
                  List.of(),
                  "");
            });
  }
}

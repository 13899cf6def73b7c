package dev.squint.examples.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * VQA v2 (Goyal et al., CVPR 2017): a file with {@code questions} and one with {@code annotations}
 * of ten annotators. The type is the answer type.
 */
final class VqaV2 {

  private VqaV2() {}

  static boolean isQuestions(JsonStream.Shape shape) {
    JsonNode first = shape.fields().path("questions");
    return first.has("question_id") && first.has("image_id") && first.has("question");
  }

  static boolean isAnnotations(JsonStream.Shape shape) {
    JsonNode first = shape.fields().path("annotations");
    return first.has("question_id") && first.has("answers");
  }

  private record Annotation(List<String> answers, String type) {}

  static void read(Path questions, Path annotations, Records records) {
    Map<String, Annotation> known = new HashMap<>();
    new JsonStream(annotations)
        .each(
            "annotations",
            (place, node) -> {
              List<String> answers = new ArrayList<>();
              node.path("answers").forEach(given -> answers.add(given.path("answer").asText("")));
              known.put(
                  node.path("question_id").asText(),
                  new Annotation(answers, node.path("answer_type").asText("")));
            });
    Pictures pictures = new Pictures(questions.toAbsolutePath().getParent());
    new JsonStream(questions)
        .each(
            "questions",
            (place, node) -> {
              String id = node.path("question_id").asText("");
              Annotation annotation = known.get(id);
              if (id.isEmpty() || !node.path("image_id").isIntegralNumber()) {
                records.defect(place, "a question needs a question_id and the number image_id");
              } else if (annotation == null) {
                records.defect(id, "no annotation has this question_id");
              } else {
                records.add(
                    id,
                    pictures.find(CocoNames.of(node.path("image_id").asLong())),
                    node.path("question").asText(""),
                    annotation.answers(),
                    List.of(),
                    annotation.type());
              }
            });
  }
}

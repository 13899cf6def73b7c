package dev.squint.evaluation.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * VQA v2 (Goyal et al., CVPR 2017): a file with {@code questions} and one with {@code annotations}
 * of ten annotators. The type is the answer type.
 */
final class VqaV2 {

  private VqaV2() {}

  static boolean isQuestions(JsonStream.Shape shape) {
    return shape.field("questions", "question_id", "image_id", "question");
  }

  static boolean isAnnotations(JsonStream.Shape shape) {
    return shape.field("annotations", "question_id", "answers");
  }

  private record Annotation(List<String> answers, String type) {}

  static void read(Path questions, Path annotations, DataSetBuilder records) {
    Map<String, Annotation> known = new HashMap<>();
    new JsonStream(annotations)
        .each(
            "annotations",
            (place, node) -> {
              List<String> answers = new ArrayList<>();
              for (JsonNode given : node.path("answers")) {
                answers.add(JsonStream.text(given, "answer"));
              }
              Annotation annotation = new Annotation(answers, JsonStream.text(node, "answer_type"));
              String id = JsonStream.id(node, "question_id");
              if (id.isEmpty()) {
                records.skip("annotation " + place, "question_id is missing");
              } else if (known.putIfAbsent(id, annotation) != null) {
                records.skip("annotation " + place, "another annotation has its question_id");
              }
            });
    Set<String> left = new HashSet<>(known.keySet());
    ImageFinder images = new ImageFinder(questions.toAbsolutePath().getParent());
    new JsonStream(questions)
        .each(
            "questions",
            (place, node) -> {
              String id = JsonStream.id(node, "question_id");
              Annotation annotation = known.get(id);
              left.remove(id);
              if (id.isEmpty() || !node.path("image_id").isIntegralNumber()) {
                records.skip("question " + place, "it needs a question_id and the number image_id");
              } else if (annotation == null) {
                records.skip(id, "no annotation has this question_id");
              } else {
                records.add(
                    id,
                    images.find(CocoNames.of(node.path("image_id").asLong())),
                    JsonStream.text(node, "question"),
                    annotation.answers(),
                    List.of(),
                    annotation.type());
              }
            });
    if (!left.isEmpty()) {
      records.skip("annotations", "%d of them answer no question".formatted(left.size()));
    }
  }
}

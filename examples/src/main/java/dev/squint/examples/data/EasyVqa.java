package dev.squint.examples.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;

/**
 * easy-VQA: {@code questions.json}, rows of question, answer, picture number and, if known, the
 * type of question; pictures in {@code images/N.png}. Also what {@code models/training/scenes.py}
 * writes.
 */
final class EasyVqa {

  private EasyVqa() {}

  static boolean recognises(JsonNode root) {
    JsonNode row = root.path(0);
    return root.isArray() && row.isArray() && row.size() >= 3 && row.size() <= 4;
  }

  static void read(JsonNode root, Path folder, Records records) {
    for (int i = 0; i < root.size(); i++) {
      JsonNode row = root.get(i);
      String id = Integer.toString(i);
      if (!row.isArray() || row.size() < 3 || row.size() > 4) {
        records.defect(id, "a row has a question, an answer, a picture number and maybe a type");
      } else if (!row.get(0).isTextual() || !row.get(1).isTextual()) {
        records.defect(id, "question and answer have to be texts");
      } else if (!row.get(2).isIntegralNumber()) {
        records.defect(id, "the third value has to be the number of a picture");
      } else {
        Path image = folder.resolve("images").resolve(row.get(2).asLong() + ".png");
        records.add(
            id,
            new Medium.ImageFile(image),
            row.get(0).asText(),
            List.of(row.get(1).asText()),
            List.of(),
            row.path(3).asText(""));
      }
    }
  }
}

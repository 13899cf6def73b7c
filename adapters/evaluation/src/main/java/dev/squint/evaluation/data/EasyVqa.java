package dev.squint.evaluation.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;

/**
 * easy-VQA: rows of question, answer, image number and, if known, the type of question; images in
 * {@code images/N.png}. Also what {@code models/training/scenes.py} writes, captions among it.
 */
final class EasyVqa {

  private static final String CAPTION = "caption";

  private EasyVqa() {}

  static boolean recognises(JsonStream.Shape shape) {
    return shape.array() && shape.records().stream().anyMatch(EasyVqa::isRow);
  }

  private static boolean isRow(JsonNode row) {
    return row.isArray()
        && row.size() >= 3
        && row.size() <= 4
        && row.get(0).isTextual()
        && row.get(2).isIntegralNumber();
  }

  /** Reads the rows; whether all of them ask for captions. */
  static boolean read(Path file, DataSetBuilder records) {
    Path images = file.toAbsolutePath().getParent().resolve("images");
    boolean[] captions = {true};
    new JsonStream(file)
        .each(
            "",
            (id, row) -> {
              if (!row.isArray() || row.size() < 3 || row.size() > 4) {
                records.skip(
                    id, "a row has a question, an answer, an image number and maybe a type");
              } else if (!row.get(0).isTextual() || !row.get(1).isTextual()) {
                records.skip(id, "question and answer have to be texts");
              } else if (!row.get(2).isIntegralNumber()) {
                records.skip(id, "the third value has to be the number of an image");
              } else {
                String name = row.get(2).asLong() + ".png";
                String type = row.path(3).asText("");
                captions[0] &= type.equals(CAPTION);
                records.add(
                    id,
                    new NamedMedia(name, new MediaSource.ImageFile(images.resolve(name))),
                    row.get(0).asText(),
                    List.of(row.get(1).asText()),
                    List.of(),
                    type);
              }
            });
    return captions[0];
  }
}

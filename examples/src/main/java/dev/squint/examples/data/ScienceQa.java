package dev.squint.examples.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * ScienceQA (Lu et al., NeurIPS 2022): {@code problems.json}, an object of problems by id, with
 * {@code pid_splits.json} beside it the test split of these. Asked as LLaVA asks: context,
 * question, lettered choices. The type is the subject.
 */
final class ScienceQa {

  private static final String SPLITS = "pid_splits.json";
  private static final String TEST = "test";

  private ScienceQa() {}

  static boolean recognises(JsonStream.Shape shape) {
    return !shape.array() && shape.records("choices", "question");
  }

  static void read(Path file, Records records) {
    Path folder = file.toAbsolutePath().getParent();
    Set<String> wanted = new HashSet<>();
    Path splits = folder.resolve(SPLITS);
    if (Files.isRegularFile(splits)) {
      new JsonStream(splits).each(TEST, (place, id) -> wanted.add(id.asText()));
    }
    Pictures pictures = new Pictures(folder);
    new JsonStream(file)
        .each(
            "",
            (id, node) -> {
              if (wanted.isEmpty() || wanted.contains(id)) {
                read(id, node, pictures, records);
              }
            });
  }

  private static void read(String id, JsonNode node, Pictures pictures, Records records) {
    List<String> choices = JsonStream.texts(node.path("choices"));
    String image = JsonStream.text(node, "image");
    JsonNode place = node.path("answer");
    int answer = place.asInt(-1);
    if (image.isEmpty()) {
      records.defect(id, "there is no picture");
    } else if (choices.isEmpty()) {
      records.defect(id, "choices has to be a list of texts");
    } else if (!place.isInt()) {
      records.defect(id, "answer has to be the number of a choice");
    } else if (answer < 0 || answer >= choices.size()) {
      records.defect(id, "answer %d is none of its %d choices".formatted(answer, choices.size()));
    } else {
      String split = node.path("split").asText(TEST);
      records.add(
          id,
          pictures.find(split + "/" + id + "/" + image, id + "/" + image, image),
          Choices.asked(JsonStream.text(node, "hint"), JsonStream.text(node, "question"), choices),
          List.of(Choices.letter(answer)),
          choices,
          JsonStream.text(node, "subject"));
    }
  }
}

package dev.squint.evaluation.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * ScienceQA (Lu et al., NeurIPS 2022): {@code problems.json}, an object of problems by id, with
 * {@code pid_splits.json} next to it the test split of these. Asked as LLaVA asks: context,
 * question, lettered choices. The type is the subject.
 */
final class ScienceQa {

  private static final String SPLITS = "pid_splits.json";
  private static final String TEST = "test";

  private ScienceQa() {}

  static boolean recognises(JsonStream.Shape shape) {
    return !shape.array() && shape.records("choices", "question");
  }

  static void read(Path file, DataSetBuilder records) {
    Path folder = file.toAbsolutePath().getParent();
    Set<String> wanted = new HashSet<>();
    Path splits = folder.resolve(SPLITS);
    if (Files.isRegularFile(splits)) {
      new JsonStream(splits).each(TEST, (place, id) -> wanted.add(id.asText()));
    }
    ImageFinder images = new ImageFinder(folder);
    new JsonStream(file)
        .each(
            "",
            (id, node) -> {
              if (wanted.isEmpty() || wanted.contains(id)) {
                read(id, node, images, records);
              }
            });
  }

  private static void read(String id, JsonNode node, ImageFinder images, DataSetBuilder records) {
    List<String> choices = JsonStream.texts(node.path("choices"));
    String image = JsonStream.text(node, "image");
    JsonNode place = node.path("answer");
    int answer = place.asInt(-1);
    if (image.isEmpty()) {
      records.skip(id, "there is no image");
    } else if (choices.isEmpty()) {
      records.skip(id, "choices has to be a list of texts");
    } else if (!place.isInt()) {
      records.skip(id, "answer has to be the number of a choice");
    } else if (answer < 0 || answer >= choices.size()) {
      records.skip(id, "answer %d is none of its %d choices".formatted(answer, choices.size()));
    } else {
      String split = node.path("split").asText(TEST);
      records.add(
          id,
          images.find(split + "/" + id + "/" + image, id + "/" + image, image),
          Choices.asked(JsonStream.text(node, "hint"), JsonStream.text(node, "question"), choices),
          List.of(Choices.letter(answer)),
          choices,
          JsonStream.text(node, "subject"));
    }
  }
}

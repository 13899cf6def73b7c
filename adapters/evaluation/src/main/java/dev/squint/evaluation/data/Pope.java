package dev.squint.evaluation.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.DataException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * POPE (Li et al., EMNLP 2023): lines of {@code question_id, image, text, label}. The type is the
 * sampling that the file's name tells: adversarial, popular or random.
 */
final class Pope {

  private static final List<String> SAMPLINGS = List.of("adversarial", "popular", "random");

  private Pope() {}

  static boolean recognises(List<JsonNode> lines) {
    return lines.stream()
        .anyMatch(
            line ->
                line.has("text")
                    && line.has("image")
                    && line.path("label").asText("").strip().matches("(?i)yes|no"));
  }

  /** The sampling that a file's name tells; empty if it tells none. */
  static String type(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return SAMPLINGS.stream().filter(name::contains).findFirst().orElse("");
  }

  static void read(Path file, DataSetBuilder records, boolean several) {
    String type = type(file);
    ImageFinder images = new ImageFinder(file.toAbsolutePath().getParent());
    try (BufferedReader reader = new TextFile(file).reader()) {
      int number = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        if (line.isBlank()) {
          continue;
        }
        String place = (several ? type + " " : "") + "line " + number;
        JsonNode node;
        try {
          node = GenericValues.read(line);
        } catch (IOException e) {
          records.skip(place, "it is no JSON object");
          continue;
        }
        String label = JsonStream.text(node, "label").strip().toLowerCase(Locale.ROOT);
        Optional<NamedMedia> image = images.of(place, JsonStream.text(node, "image"));
        if (!label.equals("yes") && !label.equals("no")) {
          records.skip(place, "its label is neither yes nor no");
        } else if (JsonStream.text(node, "image").isEmpty()) {
          records.skip(place, "it names no image");
        } else if (image.isEmpty()) {
          records.skip(place, ImageFinder.NEITHER);
        } else {
          String id =
              node.has("question_id")
                  ? JsonStream.id(node, "question_id")
                  : Integer.toString(number);
          records.add(
              several ? type + " " + id : id,
              image.get(),
              JsonStream.text(node, "text"),
              List.of(label),
              List.of(),
              type);
        }
      }
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }
}

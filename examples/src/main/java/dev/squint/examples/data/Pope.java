package dev.squint.examples.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.adapters.DataException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * POPE (Li et al., EMNLP 2023): lines of {@code question_id, image, text, label}. The type is the
 * sampling that the file's name tells: adversarial, popular or random.
 */
final class Pope {

  private static final List<String> SAMPLINGS = List.of("adversarial", "popular", "random");

  private Pope() {}

  static void read(Path file, Records records, boolean several) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    String type = SAMPLINGS.stream().filter(name::contains).findFirst().orElse("");
    Pictures pictures = new Pictures(file.toAbsolutePath().getParent());
    ObjectMapper json = new ObjectMapper();
    try (BufferedReader reader = PlainRecords.reader(file)) {
      int number = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        if (line.isBlank()) {
          continue;
        }
        String place = (several ? name + " " : "") + "line " + number;
        JsonNode node;
        try {
          node = json.readTree(line);
        } catch (IOException e) {
          records.defect(place, "it is no JSON object");
          continue;
        }
        String label = node.path("label").asText("").strip().toLowerCase(Locale.ROOT);
        String image = node.path("image").asText("");
        if (!label.equals("yes") && !label.equals("no")) {
          records.defect(place, "its label is neither yes nor no");
        } else if (image.isEmpty()) {
          records.defect(place, "it names no image");
        } else {
          String id = node.path("question_id").asText(Integer.toString(number));
          records.add(
              several ? type + " " + id : id,
              pictures.find(image),
              node.path("text").asText(""),
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

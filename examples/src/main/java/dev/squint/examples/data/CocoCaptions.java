package dev.squint.examples.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.adapters.Squint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * COCO captions (Chen et al., 2015): {@code images} and {@code annotations}; a question per
 * picture, all of its captions right.
 */
final class CocoCaptions {

  private CocoCaptions() {}

  static boolean recognises(JsonStream.Shape shape) {
    return shape.fields().path("annotations").has("caption") && shape.fields().has("images");
  }

  static void read(Path file, Records records) {
    JsonStream stream = new JsonStream(file);
    Map<String, String> names = new LinkedHashMap<>();
    stream.each(
        "images",
        (place, node) -> {
          String name = node.path("file_name").asText("");
          if (node.has("id") && !name.isEmpty()) {
            names.put(node.path("id").asText(), name);
          } else {
            records.defect("image " + place, "a picture needs an id and a file_name");
          }
        });
    Map<String, List<String>> captions = new LinkedHashMap<>();
    stream.each(
        "annotations",
        (place, node) -> {
          JsonNode caption = node.path("caption");
          if (caption.isTextual() && names.containsKey(node.path("image_id").asText())) {
            captions
                .computeIfAbsent(node.path("image_id").asText(), id -> new ArrayList<>())
                .add(caption.textValue());
          } else {
            records.defect(
                "annotation " + place, "it has no caption, or no picture has its image_id");
          }
        });
    Pictures pictures = new Pictures(file.toAbsolutePath().getParent());
    names.forEach(
        (id, name) ->
            records.add(
                id,
                pictures.find(name),
                Squint.CAPTION_PROMPT,
                captions.getOrDefault(id, List.of()),
                List.of(),
                ""));
  }
}

package dev.squint.evaluation.data;

import dev.squint.Squint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * COCO captions (Chen et al., 2015): {@code images} and {@code annotations}; a question per image,
 * all of its captions right.
 */
final class CocoCaptions {

  private CocoCaptions() {}

  static boolean recognises(JsonStream.Shape shape) {
    return shape.field("annotations", "image_id", "caption")
        && shape.field("images", "id", "file_name");
  }

  static void read(Path file, DataSetBuilder records) {
    JsonStream stream = new JsonStream(file);
    Map<String, String> names = new LinkedHashMap<>();
    stream.each(
        "images",
        (place, node) -> {
          String id = JsonStream.id(node, "id");
          String name = JsonStream.text(node, "file_name");
          if (id.isEmpty() || name.isEmpty()) {
            records.skip("image " + place, "an image needs an id and a file_name");
          } else if (names.putIfAbsent(id, name) != null) {
            records.skip("image " + place, "another image has the same id");
          }
        });
    Map<String, List<String>> captions = new LinkedHashMap<>();
    stream.each(
        "annotations",
        (place, node) -> {
          String image = JsonStream.id(node, "image_id");
          String caption = JsonStream.text(node, "caption");
          if (!caption.isBlank() && names.containsKey(image)) {
            captions.computeIfAbsent(image, id -> new ArrayList<>()).add(caption);
          } else {
            records.skip("annotation " + place, "it has no caption, or no image has its image_id");
          }
        });
    ImageFinder images = new ImageFinder(file.toAbsolutePath().getParent());
    names.forEach(
        (id, name) ->
            records.add(
                id,
                images.find(name),
                Squint.CAPTION_PROMPT,
                captions.getOrDefault(id, List.of()),
                List.of(),
                ""));
  }
}

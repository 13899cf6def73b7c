package dev.squint.cli.torture;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The smallest LLaVA among the fixtures, made a model folder that answers. */
public final class TinyModel {

  /** Tokens of its vocabulary. */
  static final int VOCABULARY = 64;

  private static final List<String> SPECIAL = List.of("<pad>", "<s>", "</s>", "<image>");
  private static final String LETTERS = " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV:?.\n<>";

  private static final String TEMPLATE =
      "{% for m in messages %}USER: {% for c in m.content %}"
          + "{{ '<image>\\n' if c.type == 'image' else c.text }}{% endfor %} ASSISTANT:{% endfor %}";

  private TinyModel() {}

  /** Writes it. */
  public static Path write(Path fixtures, Path folder) throws IOException {
    WorkFolder.emptied(folder);
    Path source = fixtures.resolve("tiny-llava");
    for (String name : List.of("config.json", "generation_config.json")) {
      Files.copy(source.resolve(name), folder.resolve(name));
    }
    WorkFolder.copy(source.resolve("onnx"), folder.resolve("onnx"));
    ObjectMapper json = new ObjectMapper();
    json.writeValue(folder.resolve("preprocessor_config.json").toFile(), preprocessor(json));
    json.writeValue(folder.resolve("tokenizer.json").toFile(), tokenizer(json));
    Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE);
    return folder;
  }

  private static ObjectNode preprocessor(ObjectMapper json) {
    ObjectNode root = json.createObjectNode().put("image_processor_type", "CLIPImageProcessor");
    root.putObject("size").put("shortest_edge", 32);
    root.putObject("crop_size").put("height", 32).put("width", 32);
    root.put("do_center_crop", true).put("do_resize", true).put("resample", 3);
    root.put("do_rescale", true).put("rescale_factor", 1 / 255.0).put("do_normalize", true);
    for (String field : List.of("image_mean", "image_std")) {
      root.putArray(field).add(0.5).add(0.5).add(0.5);
    }
    return root;
  }

  /** One token per letter. */
  static ObjectNode tokenizer(ObjectMapper json) {
    ObjectNode root = json.createObjectNode().put("version", "1.0");
    root.putNull("truncation").putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    ObjectNode vocabulary = json.createObjectNode();
    for (String token : SPECIAL) {
      added
          .addObject()
          .put("id", vocabulary.size())
          .put("content", token)
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", true);
      vocabulary.put(token, vocabulary.size());
    }
    LETTERS
        .chars()
        .forEach(letter -> vocabulary.put(Character.toString(letter), vocabulary.size()));
    root.putNull("normalizer").putNull("pre_tokenizer").putNull("post_processor");
    root.putObject("decoder").put("type", "Fuse");
    ObjectNode model = root.putObject("model").put("type", "BPE");
    model.putNull("dropout").put("unk_token", "<pad>").put("fuse_unk", true);
    model.set("vocab", vocabulary);
    model.putArray("merges");
    return root;
  }
}

package dev.squint.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.JsonFile;
import dev.squint.onnx.internal.io.Printable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The chat template of a model folder, where transformers 5 finds it: what the processor has
 * ({@code processor_config.json}, else {@code chat_template.json}, else {@code chat_template.jinja}
 * and {@code additional_chat_templates}), else what the tokenizer has ({@code
 * tokenizer_config.json}).
 *
 * @param source its text
 * @param file where it was found
 * @param ofTokenizer whether only the tokenizer has it, so that it may be one for texts alone
 */
record TemplateFile(String source, Path file, boolean ofTokenizer) {

  static final String JINJA = "chat_template.jinja";

  private static final String BUILT_IN = "built-in template";
  private static final String FIELD = "chat_template";
  private static final String DEFAULT = "default";
  private static final String SUFFIX = ".jinja";
  private static final int LARGEST = 1 << 20;
  private static final int MOST_FILES = 100;

  /**
   * Finds it.
   *
   * @param usual how models of this type are asked that come without a template
   * @throws ModelException if there is none, or none is the default, or a file cannot be read
   */
  static TemplateFile find(Path folder, Optional<String> usual) {
    Path processor = folder.resolve("processor_config.json");
    JsonNode given = field(processor);
    if (!given.isMissingNode()) {
      return of(given, processor, false);
    }
    Path additional = folder.resolve("additional_chat_templates");
    Path legacy = folder.resolve("chat_template.json");
    if (isThere(legacy)) {
      if (!additional(additional).isEmpty()) {
        throw new ModelException(
            "%s and %s both hold chat templates, which transformers refuses too; remove one of them"
                .formatted(legacy, additional));
      }
      JsonNode old = field(legacy);
      if (old.isMissingNode()) {
        throw new ModelException(
            "%s has no 'chat_template'; download it again or remove it".formatted(legacy));
      }
      return of(old, legacy, false);
    }
    Map<String, Path> files = additional(additional);
    if (isThere(folder.resolve(JINJA))) {
      files.put(DEFAULT, folder.resolve(JINJA));
    }
    if (files.containsKey(DEFAULT)) {
      return new TemplateFile(read(files.get(DEFAULT)), files.get(DEFAULT), false);
    }
    if (!files.isEmpty()) {
      throw noDefault(additional);
    }
    Path tokenizer = folder.resolve("tokenizer_config.json");
    JsonNode last = field(tokenizer);
    if (last.isMissingNode() && usual.isPresent()) {
      return new TemplateFile(usual.get(), Path.of(BUILT_IN), false);
    }
    if (last.isMissingNode()) {
      throw new ModelException(
          ("%s has no chat template, so how it was trained to be asked is not known; name one with --template-file, or put its %s there"
                  + " (or chat_template.json, or a tokenizer_config.json with 'chat_template')")
              .formatted(folder, JINJA));
    }
    return of(last, tokenizer, true);
  }

  /**
   * A template in a file of its own, which may be one for texts alone.
   *
   * @throws ModelException if it cannot be read
   */
  static TemplateFile given(Path file) {
    return new TemplateFile(read(file), file, true);
  }

  private static boolean isThere(Path file) {
    return Files.exists(file, LinkOption.NOFOLLOW_LINKS);
  }

  private static JsonNode field(Path file) {
    if (!isThere(file)) {
      return MissingNode.getInstance();
    }
    JsonNode root = JsonFile.tree(file);
    return root.hasNonNull(FIELD) ? root.get(FIELD) : MissingNode.getInstance();
  }

  /** A template, an object of them by name or a list of names and templates. */
  private static TemplateFile of(JsonNode given, Path file, boolean ofTokenizer) {
    if (given.isArray()) {
      for (JsonNode one : given) {
        if (one.path("name").asText().equals(DEFAULT)) {
          return of(one.path("template"), file, ofTokenizer);
        }
      }
      throw noDefault(file);
    }
    if (given.isObject()) {
      if (!given.path(DEFAULT).isTextual()) {
        throw noDefault(file);
      }
      return of(given.path(DEFAULT), file, ofTokenizer);
    }
    if (!given.isTextual() || given.textValue().length() > LARGEST) {
      throw new ModelException(
          "%s: 'chat_template' is not a text of up to %,d characters; download it again"
              .formatted(file, LARGEST));
    }
    return new TemplateFile(given.textValue(), file, ofTokenizer);
  }

  private static ModelException noDefault(Path file) {
    return new ModelException(
        "%s has chat templates of which none is called 'default'; name the one to use so"
            .formatted(file));
  }

  private static String read(Path file) {
    byte[] bytes = JsonFile.bytes(file, LARGEST);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new ModelException("%s is not UTF-8 text; download it again".formatted(file), e);
    }
  }

  private static Map<String, Path> additional(Path folder) {
    Map<String, Path> files = new TreeMap<>();
    if (!Files.isDirectory(folder)) {
      return files;
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
      for (Path file : all) {
        String name = file.getFileName().toString();
        if (name.endsWith(SUFFIX)) {
          files.put(name.substring(0, name.length() - SUFFIX.length()), file);
        }
        if (files.size() > MOST_FILES) {
          throw new ModelException(
              "%s holds more than %d chat templates; remove those that are not used"
                  .formatted(folder, MOST_FILES));
        }
      }
      return files;
    } catch (IOException | DirectoryIteratorException e) {
      throw new ModelException(
          "%s cannot be listed (%s); check its permissions"
              .formatted(folder, e.getClass().getSimpleName()),
          e);
    }
  }

  /** Its file, for messages. */
  String name() {
    return Printable.of(file.toString());
  }
}

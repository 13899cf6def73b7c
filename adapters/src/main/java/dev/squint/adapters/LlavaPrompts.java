package dev.squint.adapters;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.models.JsonFile;
import dev.squint.models.ModelConfig;
import dev.squint.models.ModelException;
import dev.squint.models.PixelValues;
import dev.squint.models.PromptInput;
import dev.squint.pruning.TokenLayout;
import dev.squint.pruning.VisionShape;
import dev.squint.pruning.VisualSpan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Prompts of LLaVA-1.5: {@code USER: <image>\n{question} ASSISTANT:}, the one {@code <image>}
 * standing for all visual tokens of the picture.
 */
final class LlavaPrompts implements AutoCloseable {

  private static final String IMAGE = "<image>";
  private static final int LARGEST_TOKENIZER = 64 << 20;
  static final String TEMPLATE = "USER: " + IMAGE + "\n%s ASSISTANT:";

  private final HuggingFaceTokenizer tokenizer;
  private final List<String> reserved;
  private final ModelConfig config;
  private final VisionShape vision;

  private LlavaPrompts(
      HuggingFaceTokenizer tokenizer,
      List<String> reserved,
      ModelConfig config,
      VisionShape vision) {
    this.tokenizer = tokenizer;
    this.reserved = reserved;
    this.config = config;
    this.vision = vision;
  }

  static LlavaPrompts open(Path folder, ModelConfig config, VisionShape vision) {
    Path file = folder.resolve("tokenizer.json");
    List<String> reserved = new ArrayList<>();
    try (JsonParser json = JsonFile.parser(JsonFile.bytes(file, LARGEST_TOKENIZER))) {
      JsonNode root = json.readValueAsTree();
      root.path("added_tokens").forEach(one -> reserved.add(one.path("content").asText()));
    } catch (IOException e) {
      throw JsonFile.notJson(file, e);
    }
    keepDjlOffline();
    try {
      HuggingFaceTokenizer tokenizer =
          HuggingFaceTokenizer.newInstance(file, Map.of("truncation", "false", "padding", "false"));
      return new LlavaPrompts(tokenizer, List.copyOf(reserved), config, vision);
    } catch (IOException | RuntimeException e) {
      throw new ModelException(file + " is no tokenizer: download or export it again", e);
    }
  }

  /**
   * Without these DJL reports to its makers from some clouds and, where it finds a CUDA driver,
   * downloads a library instead of using the one in its jar. What the host has set stays.
   */
  private static void keepDjlOffline() {
    Map.of("OPT_OUT_TRACKING", "true", "RUST_FLAVOR", "cpu")
        .forEach(
            (name, value) -> {
              if (System.getenv(name) == null && System.getProperty(name) == null) {
                System.setProperty(name, value);
              }
            });
  }

  /**
   * The prompt for one question about one picture.
   *
   * @throws PromptException if the question is blank, or does not fit into the context together
   *     with the picture
   */
  PromptInput prompt(String question, PixelValues pixels) {
    long[] ids = tokenizer.encode(TEMPLATE.formatted(harmless(question)), true, false).getIds();
    int start = indexOf(ids, config.imageToken());
    int rows = (int) pixels.shape()[2] / patch();
    int columns = (int) pixels.shape()[3] / patch();
    int visual = config.visualTokens() - vision.patches() + rows * columns;
    long[] expanded = new long[ids.length - 1 + visual];
    System.arraycopy(ids, 0, expanded, 0, start);
    Arrays.fill(expanded, start, start + visual, config.imageToken());
    System.arraycopy(ids, start + 1, expanded, start + visual, ids.length - start - 1);
    if (expanded.length >= config.contextLength()) {
      throw new PromptException(
          ("the question is too long: with the picture's %d visual tokens the prompt has %d tokens,"
                  + " but the model's context holds %d; shorten the question")
              .formatted(visual, expanded.length, config.contextLength()));
    }
    VisualSpan span = new VisualSpan(0, start, visual, rows, columns);
    return new PromptInput(
        expanded, new TokenLayout(expanded.length, List.of(span)), Optional.of(pixels));
  }

  /** Pixels of a side of a patch. */
  int patch() {
    return config.vision().patchSize();
  }

  String text(long[] tokens) {
    return tokenizer.decode(tokens, true).strip();
  }

  /** The question in one line, with special tokens written so that they stay plain text. */
  private String harmless(String question) {
    String text = question.replaceAll("[\\s\\p{Z}\\p{Cntrl}]+", " ").strip();
    if (text.isEmpty()) {
      throw new PromptException("the question is empty; ask something about the picture");
    }
    for (String token : reserved) {
      if (token.length() > 1) {
        text = text.replace(token, token.charAt(0) + " " + token.substring(1));
      }
    }
    return text;
  }

  private int indexOf(long[] ids, long wanted) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] == wanted) {
        return i;
      }
    }
    throw new ModelException(
        "tokenizer.json does not turn '"
            + IMAGE
            + "' into the image token "
            + wanted
            + " of config.json; use the tokenizer that belongs to the model");
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}

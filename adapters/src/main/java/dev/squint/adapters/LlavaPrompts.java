package dev.squint.adapters;

import dev.squint.models.ModelConfig;
import dev.squint.models.ModelException;
import dev.squint.models.PictureTokens;
import dev.squint.models.PixelValues;
import dev.squint.models.PromptInput;
import dev.squint.pruning.TokenLayout;
import dev.squint.pruning.VisionShape;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Prompts of LLaVA-1.5: {@code USER: <image>\n{question} ASSISTANT:}, the one {@code <image>}
 * standing for all visual tokens of the picture.
 *
 * <p>A question costs no more than one that fits: it is read up to the characters that the context
 * can hold at the very most, and tokenized whole only if its parts have shown that it may fit. So
 * 20 million characters are refused in milliseconds.
 */
final class LlavaPrompts implements AutoCloseable {

  private static final String IMAGE = "<image>";
  static final String TEMPLATE = "USER: " + IMAGE + "\n%s ASSISTANT:";

  /**
   * Characters for each of the longest token: composing a text makes one of up to three, and what
   * normalizing deletes, or one unknown token stands for, is seldom more.
   */
  private static final int SLACK = 4;

  private static final int SHORT_TOKENS = 16;

  /** Characters of the parts that a long question is counted in. */
  private static final int PART = 8_192;

  /** Tokens that a part may have more than it has within the whole. */
  private static final int PER_PART = 8;

  private final TextTokenizer tokenizer;
  private final QuestionText questions;
  private final ModelConfig config;
  private final PictureTokens pictures;

  private LlavaPrompts(TextTokenizer tokenizer, ModelConfig config, VisionShape vision) {
    this.tokenizer = tokenizer;
    this.questions = new QuestionText(tokenizer.reserved());
    this.config = config;
    this.pictures = PictureTokens.of(config, vision);
  }

  static LlavaPrompts open(Path folder, ModelConfig config, VisionShape vision) {
    return new LlavaPrompts(TextTokenizer.open(folder), config, vision);
  }

  /**
   * The prompt for one question about one picture.
   *
   * @throws PromptException if the question is blank, or does not fit into the context together
   *     with the picture
   */
  PromptInput prompt(String question, PixelValues pixels) {
    int rows = (int) pixels.shape()[2] / patch();
    int columns = (int) pixels.shape()[3] / patch();
    int visual = pictures.count(rows, columns);
    String text = fitting(question, visual);
    long[] ids = tokenizer.tokens(TEMPLATE.formatted(text));
    int start = placeholder(ids);
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
    return new PromptInput(
        expanded,
        new TokenLayout(expanded.length, pictures.spans(0, start, rows, columns)),
        Optional.of(pixels));
  }

  /** Pixels of a side of a patch. */
  int patch() {
    return config.vision().patchSize();
  }

  String text(long[] tokens) {
    return tokenizer.text(tokens);
  }

  /**
   * The question as it is put, refused if it is seen without tokenizing it whole that it cannot
   * fit.
   */
  private String fitting(String question, int visual) {
    int left = Math.max(0, config.contextLength() - visual);
    long held = (long) left * SLACK * Math.max(SHORT_TOKENS, tokenizer.longestToken());
    int most = (int) Math.max(PART, Math.min(held, tokenizer.mostCharacters() - TEMPLATE.length()));
    String text =
        questions
            .harmless(question, most)
            .orElseThrow(
                () ->
                    new PromptException(
                        ("the question is too long: it has more than %,d characters, and beside the"
                                + " picture's %d visual tokens the model's context holds %d tokens;"
                                + " shorten the question")
                            .formatted(most, visual, left)));
    if (text.length() > 2 * PART) {
      count(text, visual, left);
    }
    return text;
  }

  /** Counts the tokens of the parts until they are so many that no cut explains it. */
  private void count(String text, int visual, int left) {
    long counted = 0;
    for (int start = 0; start < text.length(); ) {
      int end = partEnd(text, start);
      counted += Math.max(0, tokenizer.tokens(text.substring(start, end)).length - PER_PART);
      if (counted > 2L * left) {
        throw new PromptException(
            ("the question is too long: its first %,d characters are more than %,d tokens, but beside"
                    + " the picture's %d visual tokens the model's context holds %d; shorten the"
                    + " question to about %,d characters")
                .formatted(end, counted, visual, left, end * (long) left / counted));
      }
      start = end;
    }
  }

  /** Behind a space if there is one, never within a character. */
  private static int partEnd(String text, int start) {
    int end = Math.min(text.length(), start + PART);
    if (end == text.length()) {
      return end;
    }
    int space = text.lastIndexOf(' ', end - 1);
    if (space > start) {
      return space;
    }
    return Character.isLowSurrogate(text.charAt(end)) ? end - 1 : end;
  }

  private int placeholder(long[] ids) {
    int found = -1;
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] == config.imageToken()) {
        if (found >= 0) {
          found = -1;
          break;
        }
        found = i;
      }
    }
    if (found < 0) {
      throw new ModelException(
          "tokenizer.json does not turn '"
              + IMAGE
              + "' into the image token "
              + config.imageToken()
              + " of config.json; use the tokenizer that belongs to the model");
    }
    return found;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}

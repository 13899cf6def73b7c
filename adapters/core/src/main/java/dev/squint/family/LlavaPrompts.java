package dev.squint.family;

import dev.squint.chat.ChatTemplate;
import dev.squint.engine.request.ImageTokens;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.io.Printable;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.tokenizer.TextTokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Prompts as the processor of LLaVA makes them: the model's chat template puts the question, in its
 * text the one placeholder becomes one for each visual token, and this text is tokenized.
 *
 * <p>A question costs no more than one that fits: it is read up to the characters that the context
 * can hold at the very most, and put and tokenized whole only if its parts have shown that it may
 * fit. So 20 million characters are refused in milliseconds.
 */
final class LlavaPrompts implements AutoCloseable {

  private static final String SHORT_QUESTION = "what?";

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
  private final ChatTemplate template;
  private final QuestionText questions;
  private final ModelConfig config;
  private final ImageTokens images;
  private final int templateLength;
  private final int templateTokens;

  private LlavaPrompts(
      TextTokenizer tokenizer, ChatTemplate template, ModelConfig config, ImageTokens images) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.questions =
        new QuestionText(
            Stream.concat(tokenizer.reserved().stream(), Stream.of(template.placeholder()))
                .collect(Collectors.toSet()));
    this.config = config;
    this.images = images;
    String shortest = template.render(SHORT_QUESTION);
    this.templateLength = shortest.length();
    this.templateTokens = questions.count(shortest);
    span(tokens(shortest, 2), 2);
  }

  static LlavaPrompts open(Path folder, ModelConfig config, VisionShape vision) {
    TextTokenizer tokenizer = TextTokenizer.open(folder);
    try {
      String placeholder =
          tokenizer
              .addedText(config.imageToken())
              .orElseThrow(
                  () ->
                      new ModelException(
                          "tokenizer.json has no added token %d, the image token of config.json; use the tokenizer that belongs to the model"
                              .formatted(config.imageToken())));
      return new LlavaPrompts(
          tokenizer,
          ChatTemplate.open(folder, placeholder),
          config,
          ImageTokens.of(config, vision));
    } catch (RuntimeException | Error e) {
      tokenizer.close();
      throw e;
    }
  }

  /**
   * The prompt for one question about one image.
   *
   * @throws PromptException if the question is blank, or does not fit into the context together
   *     with the image
   */
  ModelInput prompt(String question, PixelValues pixels) {
    int rows = (int) pixels.shape()[2] / patch();
    int columns = (int) pixels.shape()[3] / patch();
    int visual = images.count(rows, columns);
    String text = template.render(fitting(question, visual));
    questions.check(text, templateTokens);
    long[] ids = tokens(text, visual);
    int start = span(ids, visual);
    if (ids.length >= config.contextLength()) {
      throw new PromptException(
          ("the question is too long: with the image's %d visual tokens the prompt has %d tokens,"
                  + " but the model's context holds %d; shorten the question")
              .formatted(visual, ids.length, config.contextLength()));
    }
    return new ModelInput(
        ids,
        new TokenLayout(ids.length, images.spans(0, start, rows, columns)),
        List.of(pixels));
  }

  /** The tokens of a prompt whose placeholder stands for so many visual tokens. */
  private long[] tokens(String prompt, int visual) {
    String placeholder = template.placeholder();
    long length = prompt.length() + (visual - 1L) * placeholder.length();
    if (length > tokenizer.mostCharacters()) {
      throw new PromptException(
          ("the question is too long: with the image's %d visual tokens the prompt has %,d"
                  + " characters, but the tokenizer takes %,d; shorten the question")
              .formatted(visual, length, tokenizer.mostCharacters()));
    }
    return tokenizer.tokens(
        prompt.replace(placeholder, placeholder.repeat(visual)), !template.begins(prompt));
  }

  /** How a question is put, {@code {question}} standing for it. */
  String template() {
    return template.shown();
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
    int most = (int) Math.max(PART, Math.min(held, tokenizer.mostCharacters() - templateLength));
    String text =
        questions
            .harmless(question, most)
            .orElseThrow(
                () ->
                    new PromptException(
                        ("the question is too long: it has more than %,d characters, and next to the"
                                + " image's %d visual tokens the model's context holds %d tokens;"
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
      counted += Math.max(0, tokenizer.tokens(text.substring(start, end), true).length - PER_PART);
      if (counted > 2L * left) {
        throw new PromptException(
            ("the question is too long: its first %,d characters are more than %,d tokens, but next to"
                    + " the image's %d visual tokens the model's context holds %d; shorten the"
                    + " question to about %,d characters")
                .formatted(end, counted, visual, left, end * (long) left / counted));
      }
      start = end;
    }
  }

  /** After a space if there is one, never within a character. */
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

  /** Where the visual tokens begin. */
  private int span(long[] ids, int visual) {
    int start = 0;
    while (start < ids.length && ids[start] != config.imageToken()) {
      start++;
    }
    int end = start;
    while (end < ids.length && ids[end] == config.imageToken()) {
      end++;
    }
    if (end - start != visual
        || Arrays.stream(ids, end, ids.length).anyMatch(id -> id == config.imageToken())) {
      throw new ModelException(
          "tokenizer.json does not turn '%s' into the image token %d of config.json; use the tokenizer that belongs to the model"
              .formatted(Printable.of(template.placeholder()), config.imageToken()));
    }
    return start;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}

package dev.squint.family;

import dev.squint.chat.ChatTemplate;
import dev.squint.chat.Role;
import dev.squint.chat.Turn;
import dev.squint.engine.request.ImageTokens;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.io.Printable;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.tokenizer.IncrementalText;
import dev.squint.tokenizer.TextTokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Prompts as the processor of LLaVA makes them: the model's chat template puts the messages, in its
 * text the placeholder of each image becomes one for each visual token, and this text is tokenized.
 *
 * <p>Messages cost no more than some that fit: they are read up to the characters that the context
 * can hold at the very most, and put and tokenized whole only if their parts have shown that they
 * may fit. So 20 million characters are refused in milliseconds.
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
    starts(tokens(shortest, new Room(true, new int[] {2}, config.contextLength())), 2);
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

  /** The prompt for one question about one image. */
  ModelInput prompt(String question, PixelValues pixels) {
    return prompt(List.of(Turn.question(question)), List.of(pixels));
  }

  /**
   * The prompt for a chat.
   *
   * @param turns its messages
   * @param pixels what its images became, in their order
   * @throws PromptException if a text is blank, or they do not fit into the context together with
   *     the images
   * @throws ModelException if the template cannot put them
   */
  ModelInput prompt(List<Turn> turns, List<PixelValues> pixels) {
    checkOrder(turns);
    int[] visual = new int[pixels.size()];
    Arrays.setAll(visual, i -> images.count(rows(pixels.get(i)), columns(pixels.get(i))));
    Room room = new Room(turns.size() == 1, visual, config.contextLength());
    List<Turn> fitting = fitting(turns, room);
    int expected = isQuestion(turns) ? templateTokens : questions.count(template.probed(turns));
    String text = template.render(fitting);
    questions.check(text, expected);
    long[] ids = tokens(text, room);
    List<VisualSpan> spans = spans(ids, pixels, visual);
    if (ids.length >= config.contextLength()) {
      throw room.exceeded(
          "%sthe prompt has %d tokens, but the model's context holds %d"
              .formatted(room.images("with"), ids.length, config.contextLength()));
    }
    return new ModelInput(ids, new TokenLayout(ids.length, spans), pixels);
  }

  private void checkOrder(List<Turn> turns) {
    if (turns.isEmpty() || turns.get(turns.size() - 1).role() != Role.USER) {
      throw new PromptException(
          "the messages do not end with the user's, so there is nothing to answer; add a question");
    }
    if (turns.size() >= config.contextLength()) {
      throw new PromptException(
          "the conversation has %,d messages, but the model's context holds %d tokens; leave old ones out"
              .formatted(turns.size(), config.contextLength()));
    }
  }

  private static boolean isQuestion(List<Turn> turns) {
    return turns.size() == 1
        && turns.get(0).parts().size() == 2
        && turns.get(0).parts().get(0) instanceof Turn.Image
        && turns.get(0).parts().get(1) instanceof Turn.Text;
  }

  private int rows(PixelValues pixels) {
    return (int) pixels.shape()[2] / patch();
  }

  private int columns(PixelValues pixels) {
    return (int) pixels.shape()[3] / patch();
  }

  /** The tokens of a prompt each of whose placeholders stands for so many visual tokens. */
  private long[] tokens(String prompt, Room room) {
    String placeholder = template.placeholder();
    long length = prompt.length();
    for (int count : room.visual()) {
      length += (count - 1L) * placeholder.length();
    }
    if (length > tokenizer.mostCharacters()) {
      throw room.exceeded(
          "%sthe prompt has %,d characters, but the tokenizer takes %,d"
              .formatted(room.images("with"), length, tokenizer.mostCharacters()));
    }
    if (template.count(prompt) != room.visual().length) {
      throw new ModelException(
          "the chat template puts %d images where there are %d; use that of the model's processor"
              .formatted(template.count(prompt), room.visual().length));
    }
    StringBuilder expanded = new StringBuilder((int) length);
    int copied = 0;
    for (int count : room.visual()) {
      int at = prompt.indexOf(placeholder, copied);
      expanded.append(prompt, copied, at).append(placeholder.repeat(count));
      copied = at + placeholder.length();
    }
    expanded.append(prompt, copied, prompt.length());
    return tokenizer.tokens(expanded.toString(), !template.begins(prompt));
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

  IncrementalText answer() {
    return tokenizer.incremental();
  }

  /**
   * The messages as they are put, refused if it is seen without tokenizing them whole that they
   * cannot fit.
   */
  private List<Turn> fitting(List<Turn> turns, Room room) {
    long held = (long) room.left() * SLACK * Math.max(SHORT_TOKENS, tokenizer.longestToken());
    long most = Math.max(PART, Math.min(held, tokenizer.mostCharacters() - templateLength));
    List<Turn> fitting = new ArrayList<>();
    long letters = 0;
    for (Turn turn : turns) {
      List<Turn.Part> parts = new ArrayList<>();
      for (Turn.Part part : turn.parts()) {
        if (part instanceof Turn.Text text) {
          QuestionText.requireSomething(turn.role(), text.text());
          String harmless =
              questions
                  .harmless(text.text(), most - letters)
                  .orElseThrow(() -> room.exceeded(room.beyond(most)));
          letters += harmless.length();
          parts.add(new Turn.Text(harmless));
        } else {
          parts.add(part);
        }
      }
      fitting.add(new Turn(turn.role(), parts));
    }
    if (letters > 2 * PART) {
      count(fitting, room);
    }
    return fitting;
  }

  /** Counts the tokens of the parts until they are so many that no cut explains it. */
  private void count(List<Turn> turns, Room room) {
    long counted = 0;
    long read = 0;
    for (String text : turns.stream().flatMap(turn -> turn.texts().stream()).toList()) {
      for (int start = 0; start < text.length(); ) {
        int end = partEnd(text, start);
        counted +=
            Math.max(0, tokenizer.tokens(text.substring(start, end), true).length - PER_PART);
        if (counted > 2L * room.left()) {
          throw room.counted(read + end, counted);
        }
        start = end;
      }
      read += text.length();
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

  /** Where the visual tokens of each image are. */
  private List<VisualSpan> spans(long[] ids, List<PixelValues> pixels, int[] visual) {
    int[] starts = starts(ids, visual);
    List<VisualSpan> spans = new ArrayList<>();
    for (int i = 0; i < visual.length; i++) {
      spans.addAll(images.spans(i, starts[i], rows(pixels.get(i)), columns(pixels.get(i))));
    }
    return spans;
  }

  /** Where the visual tokens of each image begin. */
  private int[] starts(long[] ids, int... visual) {
    int[] starts = new int[visual.length];
    int at = 0;
    for (int i = 0; i < visual.length; i++) {
      while (at < ids.length && ids[at] != config.imageToken()) {
        at++;
      }
      starts[i] = at;
      for (int k = 0; k < visual[i]; k++, at++) {
        if (at >= ids.length || ids[at] != config.imageToken()) {
          throw otherTokenizer();
        }
      }
    }
    if (Arrays.stream(ids, at, ids.length).anyMatch(id -> id == config.imageToken())) {
      throw otherTokenizer();
    }
    return starts;
  }

  private ModelException otherTokenizer() {
    return new ModelException(
        "tokenizer.json does not turn '%s' into the image token %d of config.json; use the tokenizer that belongs to the model"
            .formatted(Printable.of(template.placeholder()), config.imageToken()));
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}

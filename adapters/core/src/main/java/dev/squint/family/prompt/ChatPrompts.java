package dev.squint.family.prompt;

import dev.squint.chat.ChatTemplate;
import dev.squint.chat.Role;
import dev.squint.chat.Turn;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.family.ImagePart;
import dev.squint.family.PromptException;
import dev.squint.family.PromptForm;
import dev.squint.family.PromptImage;
import dev.squint.family.Prompts;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.io.Printable;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.layout.VisualSpan;
import dev.squint.tokenizer.IncrementalText;
import dev.squint.tokenizer.TextTokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Prompts as the processors of transformers make them: the model's chat template puts the messages,
 * in its text the placeholder of each image becomes the text that its family writes for it, with
 * one placeholder for each visual token, and this text is tokenized.
 *
 * <p>Messages cost no more than some that fit: they are read up to the characters that the context
 * can hold at the very most, and put and tokenized whole only if their parts have shown that they
 * may fit. So 20 million characters are refused in milliseconds.
 */
public final class ChatPrompts implements Prompts {

  /**
   * Characters for each of the longest token: composing a text makes one of up to three, and what
   * normalizing deletes, or one unknown token stands for, is seldom more.
   */
  private static final int SLACK = 4;

  private static final int SHORT_TOKENS = 16;

  /** Characters of the parts that a long question is counted in. */
  private static final int PART = 8_192;

  private static final int PROBED = 2;
  private static final int MOST_TEMPLATES = 8;

  /** Tokens that a part may have more than it has within the whole. */
  private static final int PER_PART = 8;

  private final TextTokenizer tokenizer;
  private final ChatTemplate template;
  private final QuestionText questions;
  private final ModelConfig config;
  private final String imageToken;
  private final Wording own;
  private final Map<String, Wording> others = new LinkedHashMap<>();

  private ChatPrompts(
      TextTokenizer tokenizer, ChatTemplate template, ModelConfig config, String imageToken) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.questions =
        new QuestionText(
            Stream.concat(
                    tokenizer.reserved().stream(), Stream.of(template.placeholder(), imageToken))
                .collect(Collectors.toSet()));
    this.config = config;
    this.imageToken = imageToken;
    this.own = Wording.of(template, questions);
    String probe = template.placeholder();
    long[] probed = tokens(expanded(probe, List.of(placeholder(PROBED))), probe);
    runs(probed, List.of(List.of(new ImagePart(0, PROBED, 0, 0))));
  }

  /**
   * Opens the tokenizer and the chat template of a model.
   *
   * @param files where they are
   * @param config what the model's files say
   * @throws ModelException if a file is missing, they do not belong together, or the template
   *     cannot be rendered as transformers renders it
   */
  public static ChatPrompts open(PromptFiles files, ModelConfig config) {
    TextTokenizer tokenizer = TextTokenizer.open(files.folder());
    try {
      String imageToken =
          tokenizer
              .addedText(config.imageToken())
              .orElseThrow(
                  () ->
                      new ModelException(
                          "tokenizer.json has no added token %d, the image token of config.json; use the tokenizer that belongs to the model"
                              .formatted(config.imageToken())));
      ChatTemplate template =
          ChatTemplate.open(
              files.folder(),
              files.placeholder().orElse(imageToken),
              files.template(),
              files.usual());
      return new ChatPrompts(tokenizer, template, config, imageToken);
    } catch (RuntimeException | Error e) {
      tokenizer.close();
      throw e;
    }
  }

  /** The image token, once for each of so many visual tokens. */
  public String placeholder(int tokens) {
    return imageToken.repeat(tokens);
  }

  /** Whether the tokenizer has a token of its own for a text. */
  public boolean isAdded(String text) {
    return tokenizer.tokens(text, false).length == 1;
  }

  /** The prompt for one question about one image. */
  public ModelInput prompt(String question, PromptImage image) {
    return prompt(List.of(Turn.question(question)), List.of(image));
  }

  @Override
  public ModelInput prompt(List<Turn> turns, List<PromptImage> images, PromptForm form) {
    checkOrder(turns);
    Room room =
        new Room(
            turns.size() == 1,
            images.stream().mapToInt(PromptImage::tokens).toArray(),
            config.contextLength());
    String text = form.raw() ? raw(turns) : worded(turns, room, wording(form));
    List<String> shown = images.stream().map(PromptImage::text).toList();
    checkLength(text, shown, room);
    long[] ids = tokens(expanded(text, shown), text);
    List<VisualSpan> spans = runs(ids, images.stream().map(PromptImage::parts).toList());
    if (ids.length >= config.contextLength()) {
      throw room.exceeded(
          "%sthe prompt has %d tokens, but the model's context holds %d"
              .formatted(room.images("with"), ids.length, config.contextLength()));
    }
    List<PixelValues> pixels = images.stream().map(PromptImage::pixels).toList();
    return new ModelInput(ids, new TokenLayout(ids.length, spans), pixels);
  }

  private String worded(List<Turn> turns, Room room, Wording wording) {
    List<Turn> fitting = fitting(turns, room, wording);
    int expected =
        isQuestion(turns) ? wording.tokens() : questions.count(wording.template().probed(turns));
    String text = wording.template().render(fitting);
    questions.check(text, expected);
    return text;
  }

  private static String raw(List<Turn> turns) {
    List<String> texts = turns.get(0).texts();
    if (turns.size() != 1 || texts.size() != 1) {
      throw new PromptException(
          "a raw prompt is one message with one text; send the whole prompt in it");
    }
    return texts.get(0);
  }

  /**
   * The model's own, or that of a request; a few of those are kept. Compiling one holds up no other
   * request; two that bring a new one at once both compile it.
   */
  private Wording wording(PromptForm form) {
    if (form.template().isEmpty()) {
      return own;
    }
    String asked = form.template().get();
    synchronized (others) {
      Wording known = others.remove(asked);
      if (known != null) {
        others.put(asked, known);
        return known;
      }
    }
    Wording compiled = Wording.of(template.with(asked), questions);
    synchronized (others) {
      others.put(asked, compiled);
      if (others.size() > MOST_TEMPLATES) {
        others.remove(others.keySet().iterator().next());
      }
    }
    return compiled;
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

  private void checkLength(String prompt, List<String> images, Room room) {
    long length = prompt.length();
    for (String image : images) {
      length += image.length() - template.placeholder().length();
    }
    if (length > tokenizer.mostCharacters()) {
      throw room.exceeded(
          "%sthe prompt has %,d characters, but the tokenizer takes %,d"
              .formatted(room.images("with"), length, tokenizer.mostCharacters()));
    }
  }

  /** A prompt with the texts of its images in the places of the placeholders. */
  private String expanded(String prompt, List<String> images) {
    String placeholder = template.placeholder();
    if (template.count(prompt) != images.size()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the prompt has '%s' %d times, and there are %d images; write it once for each, or use a chat template that does"
              .formatted(Printable.of(placeholder), template.count(prompt), images.size()));
    }
    StringBuilder expanded = new StringBuilder();
    int copied = 0;
    for (String image : images) {
      int at = prompt.indexOf(placeholder, copied);
      expanded.append(prompt, copied, at).append(image);
      copied = at + placeholder.length();
    }
    return expanded.append(prompt, copied, prompt.length()).toString();
  }

  private long[] tokens(String expanded, String prompt) {
    return tokenizer.tokens(expanded, !template.begins(prompt));
  }

  @Override
  public String template() {
    return template.shown();
  }

  @Override
  public String text(long[] tokens) {
    return tokenizer.text(tokens);
  }

  @Override
  public IncrementalText answer() {
    return tokenizer.incremental();
  }

  /**
   * The messages as they are put, refused if it is seen without tokenizing them whole that they
   * cannot fit.
   */
  private List<Turn> fitting(List<Turn> turns, Room room, Wording wording) {
    long held = (long) room.left() * SLACK * Math.max(SHORT_TOKENS, tokenizer.longestToken());
    long most = Math.max(PART, Math.min(held, tokenizer.mostCharacters() - wording.length()));
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
  private List<VisualSpan> runs(long[] ids, List<List<ImagePart>> images) {
    List<VisualSpan> spans = new ArrayList<>();
    int at = 0;
    for (int image = 0; image < images.size(); image++) {
      for (ImagePart part : images.get(image)) {
        while (at < ids.length && ids[at] != config.imageToken()) {
          at++;
        }
        spans.add(
            new VisualSpan(image, part.part(), at, part.tokens(), part.rows(), part.columns()));
        for (int k = 0; k < part.tokens(); k++, at++) {
          if (at >= ids.length || ids[at] != config.imageToken()) {
            throw otherTokenizer();
          }
        }
      }
    }
    if (Arrays.stream(ids, at, ids.length).anyMatch(id -> id == config.imageToken())) {
      throw otherTokenizer();
    }
    return spans;
  }

  private ModelException otherTokenizer() {
    return new ModelException(
        "tokenizer.json does not turn '%s' into the image token %d of config.json; use the tokenizer that belongs to the model"
            .formatted(Printable.of(imageToken), config.imageToken()));
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}

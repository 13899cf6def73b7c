package dev.squint.chat;

import dev.squint.chat.jinja.JinjaException;
import dev.squint.chat.jinja.JinjaTemplate;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/**
 * Puts the messages of a chat as a model's own chat template says, with the prompt for an answer
 * after them. A template that cannot put one question about one image as transformers renders it is
 * refused when the model is loaded; messages that it leaves out are refused when they are put.
 * Thread-safe.
 *
 * <p>A template that only the tokenizer has may know texts alone, as those of language models do.
 * Where it does, a turn is one text: its parts with line breaks between them, the placeholder for
 * an image, as LLaVA writes it.
 */
public final class ChatTemplate {

  private static final String PROBE = "Is this a question about the image?";
  private static final String MARK = "Is this text %d of the chat?";
  private static final String QUESTION = "{question}";

  /** How Python prints the parts of a turn where a template takes them for a text. */
  private static final String PRINTED_PARTS = "{'type': '";

  private static final int MOST_NAMED = 6;

  private final TemplateFile file;
  private final JinjaTemplate template;
  private final TokenTexts tokens;
  private final String placeholder;
  private final boolean asText;

  private ChatTemplate(
      TemplateFile file,
      JinjaTemplate template,
      TokenTexts tokens,
      String placeholder,
      boolean asText) {
    this.file = file;
    this.template = template;
    this.tokens = tokens;
    this.placeholder = placeholder;
    this.asText = asText;
  }

  /**
   * Reads the template of a model folder and renders a first chat with it.
   *
   * @param folder the model folder
   * @param placeholder the text that stands for an image
   * @throws ModelException if there is none, or it cannot be rendered as transformers renders it,
   *     or leaves out the image or the question
   */
  public static ChatTemplate open(Path folder, String placeholder) {
    return open(folder, placeholder, Optional.empty(), Optional.empty());
  }

  /**
   * Reads the template of a model folder, or takes another.
   *
   * @param folder the model folder
   * @param placeholder the text that stands for an image
   * @param given a file with one in the place of the model's own
   * @param usual how models of this type are asked that come without a template
   */
  public static ChatTemplate open(
      Path folder, String placeholder, Optional<Path> given, Optional<String> usual) {
    TemplateFile file =
        given.map(TemplateFile::given).orElseGet(() -> TemplateFile.find(folder, usual));
    TokenTexts tokens = TokenTexts.read(folder);
    checkPlaceholder(folder, tokens, placeholder);
    return probed(file, tokens, placeholder);
  }

  private static ChatTemplate probed(TemplateFile file, TokenTexts tokens, String placeholder) {
    JinjaTemplate template;
    try {
      template = JinjaTemplate.compile(file.source());
    } catch (JinjaException e) {
      throw refused(file, e);
    }
    ChatTemplate parts = new ChatTemplate(file, template, tokens, placeholder, false);
    try {
      parts.probe();
      return parts;
    } catch (ModelException e) {
      if (!file.ofTokenizer()) {
        throw e;
      }
      ChatTemplate text = new ChatTemplate(file, template, tokens, placeholder, true);
      try {
        text.probe();
        return text;
      } catch (ModelException again) {
        e.addSuppressed(again);
        throw e;
      }
    }
  }

  /**
   * Another template for the same model.
   *
   * @param source its text
   * @throws ModelException if it cannot be rendered as transformers renders it, or leaves out the
   *     image or the question
   */
  public ChatTemplate with(String source) {
    return probed(
        new TemplateFile(source, Path.of("the chat template given"), true), tokens, placeholder);
  }

  /** Refuses a folder whose processor would put another text in the place of the image. */
  private static void checkPlaceholder(Path folder, TokenTexts tokens, String placeholder) {
    Path config = folder.resolve("processor_config.json");
    Optional<String> named =
        tokens.image().or(() -> ModelJson.readIfThere(config).text("image_token"));
    if (named.isPresent() && !named.get().equals(placeholder)) {
      throw new ModelException(
          "%s: the tokenizer or processor stands '%s' for an image, but the image token of config.json is '%s'; use the files of one model"
              .formatted(folder, Printable.of(named.get()), Printable.of(placeholder)));
    }
  }

  private static ModelException refused(TemplateFile file, JinjaException e) {
    return new ModelException(
        "%s: this chat template cannot be rendered: %s; replace it with one that does without"
            .formatted(file.name(), Printable.of(String.valueOf(e.getMessage()))),
        e);
  }

  private void probe() {
    String text = render(PROBE);
    int image = text.indexOf(placeholder);
    String lacks =
        text.contains(PRINTED_PARTS)
            ? "the text that Python prints for a list"
            : image < 0
                ? "no '" + Printable.of(placeholder) + "' for the image"
                : text.indexOf(placeholder, image + 1) >= 0
                    ? "more than one '" + Printable.of(placeholder) + "' for one image"
                    : text.contains(PROBE) ? "" : "not the question";
    if (!lacks.isEmpty()) {
      throw new ModelException(
          "%s: a question about an image that is put with this chat template has %s in it; use the %s of the model's processor"
              .formatted(file.name(), lacks, TemplateFile.JINJA));
    }
  }

  /**
   * The prompt for one question, with the placeholder once for the image.
   *
   * @param question what is asked, as it is
   * @throws ModelException if the template cannot put this question
   */
  public String render(String question) {
    return render(List.of(Turn.question(question)));
  }

  /**
   * The prompt for a chat, with the placeholder once for each image.
   *
   * @param turns its messages, letters as they are
   * @throws ModelException if the template cannot put them
   */
  public String render(List<Turn> turns) {
    try {
      return rendered(turns);
    } catch (JinjaException e) {
      throw refused(file, e);
    }
  }

  /**
   * The prompt for a chat of the same form with harmless letters, as a check that the template
   * leaves nothing out.
   *
   * @param turns its messages
   * @throws ModelException if it stops at a message of this role or this place, or leaves out a
   *     text or an image
   */
  public String probed(List<Turn> turns) {
    AtomicInteger marks = new AtomicInteger();
    List<Turn> marked =
        turns.stream()
            .map(turn -> turn.withTexts(text -> MARK.formatted(marks.getAndIncrement())))
            .toList();
    String text;
    try {
      text = rendered(marked);
    } catch (JinjaException e) {
      throw unspeakable(turns, "stops at them: " + Printable.of(String.valueOf(e.getMessage())), e);
    }
    for (Turn turn : marked) {
      if (!turn.texts().stream().allMatch(text::contains)) {
        throw unspeakable(
            turns, "leaves out what the " + turn.role().inTemplates() + " says", null);
      }
    }
    int images = turns.stream().mapToInt(Turn::images).sum();
    int placeholders = count(text);
    if (placeholders != images) {
      throw unspeakable(
          turns, "puts %d images where there are %d".formatted(placeholders, images), null);
    }
    return text;
  }

  private ModelException unspeakable(List<Turn> turns, String why, JinjaException cause) {
    String roles =
        turns.stream()
            .limit(MOST_NAMED)
            .map(turn -> turn.role().inTemplates())
            .collect(Collectors.joining(", "));
    return new ModelException(
        Kind.BAD_REQUEST,
        "%s: this chat template cannot put messages of %s%s, it %s; send what the model was made for"
            .formatted(file.name(), roles, turns.size() > MOST_NAMED ? ", ..." : "", why),
        cause);
  }

  /** How many placeholders a prompt has. */
  public int count(String prompt) {
    int count = 0;
    for (int at = prompt.indexOf(placeholder);
        at >= 0;
        at = prompt.indexOf(placeholder, at + placeholder.length())) {
      count++;
    }
    return count;
  }

  private String rendered(List<Turn> turns) {
    Map<String, Object> variables = new HashMap<>(tokens.byName());
    variables.put("messages", turns.stream().map(this::message).toList());
    variables.put("tools", null);
    variables.put("documents", null);
    variables.put("add_generation_prompt", true);
    long letters =
        turns.stream().flatMap(turn -> turn.texts().stream()).mapToLong(String::length).sum();
    return template.render(variables, letters);
  }

  private Map<String, Object> message(Turn turn) {
    Object content =
        asText
            ? turn.parts().stream()
                .map(part -> part instanceof Turn.Text text ? text.text() : placeholder)
                .collect(Collectors.joining("\n"))
            : turn.parts().stream().map(ChatTemplate::part).toList();
    return object("role", turn.role().inTemplates(), "content", content);
  }

  private static Map<String, Object> part(Turn.Part part) {
    return part instanceof Turn.Text text
        ? object("type", "text", "text", text.text())
        : object("type", "image");
  }

  /** Names and values in turn, in the order in which a template may print them. */
  private static Map<String, Object> object(Object... namesAndValues) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      object.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return object;
  }

  /** Whether a prompt begins with the token that the tokenizer would put before it. */
  public boolean begins(String prompt) {
    return tokens.begin().map(prompt::startsWith).orElse(false);
  }

  /** The text that stands for an image. */
  public String placeholder() {
    return placeholder;
  }

  /** How a question is put, {@code {question}} standing for it. */
  public String shown() {
    return render(QUESTION);
  }
}

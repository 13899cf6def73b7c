package dev.squint.chat;

import dev.squint.chat.jinja.JinjaException;
import dev.squint.chat.jinja.JinjaTemplate;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Puts a question about an image as a model's own chat template says: one turn of a user, an image
 * and then the text, with the prompt for an answer after it. Whatever cannot be rendered as
 * transformers renders it is refused when the model is loaded. Thread-safe.
 *
 * <p>A template that only the tokenizer has may know texts alone, as those of language models do.
 * Where it does, the turn is one text, the image's placeholder, a line break and the question, as
 * LLaVA writes it.
 */
public final class ChatTemplate {

  private static final String PROBE = "Is this a question about the image?";
  private static final String QUESTION = "{question}";

  /** How Python prints the parts of a turn where a template takes them for a text. */
  private static final String PRINTED_PARTS = "{'type': '";

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
    TemplateFile file = TemplateFile.find(folder);
    TokenTexts tokens = TokenTexts.read(folder);
    checkPlaceholder(folder, tokens, placeholder);
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
    Map<String, Object> variables = new HashMap<>(tokens.byName());
    Object content =
        asText
            ? placeholder + "\n" + question
            : List.of(object("type", "image"), object("type", "text", "text", question));
    variables.put("messages", List.of(object("role", "user", "content", content)));
    variables.put("tools", null);
    variables.put("documents", null);
    variables.put("add_generation_prompt", true);
    try {
      return template.render(variables, question.length());
    } catch (JinjaException e) {
      throw refused(file, e);
    }
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

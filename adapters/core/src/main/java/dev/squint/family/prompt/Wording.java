package dev.squint.family.prompt;

import dev.squint.chat.ChatTemplate;

/**
 * A chat template with what a short question about an image becomes by it.
 *
 * @param template the template
 * @param length characters of that question
 * @param tokens its special tokens
 */
record Wording(ChatTemplate template, int length, int tokens) {

  private static final String SHORT_QUESTION = "what?";

  static Wording of(ChatTemplate template, QuestionText questions) {
    String shortest = template.render(SHORT_QUESTION);
    return new Wording(template, shortest.length(), questions.count(shortest));
  }
}

package dev.squint.examples.data;

import java.util.List;

/** How a question with choices is put: as LLaVA puts those of ScienceQA. */
final class Choices {

  private Choices() {}

  static String letter(int place) {
    return String.valueOf((char) ('A' + place));
  }

  static String asked(String context, String question, List<String> choices) {
    if (question.isBlank()) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    if (!context.isBlank()) {
      text.append("Context: ").append(context.strip()).append('\n');
    }
    text.append(question.strip()).append('\n');
    for (int i = 0; i < choices.size(); i++) {
      text.append(letter(i)).append(". ").append(choices.get(i)).append('\n');
    }
    return text.append("Answer with the option's letter from the given choices directly.")
        .toString();
  }
}

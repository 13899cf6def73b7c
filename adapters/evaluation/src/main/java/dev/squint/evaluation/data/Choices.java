package dev.squint.evaluation.data;

import java.util.List;

/** How a question with choices is put: as LLaVA puts those of ScienceQA. */
final class Choices {

  private Choices() {}

  static String letter(int place) {
    return String.valueOf((char) ('A' + place));
  }

  /**
   * The letter of the right choice, which a record names by its letter, its text or its place from
   * 0; empty if it is none of them.
   */
  static String right(String answer, List<String> choices) {
    String said = answer.strip();
    for (int i = 0; i < choices.size(); i++) {
      if (said.equalsIgnoreCase(letter(i))) {
        return letter(i);
      }
    }
    for (int i = 0; i < choices.size(); i++) {
      if (said.equalsIgnoreCase(choices.get(i).strip())) {
        return letter(i);
      }
    }
    return said.matches("\\d{1,2}") ? at(Integer.parseInt(said), choices) : "";
  }

  /** The letter of the choice at a place from 0; empty if there is none. */
  static String at(int place, List<String> choices) {
    return place >= 0 && place < choices.size() ? letter(place) : "";
  }

  static String none(String answer, List<String> choices) {
    return "answer '%s' is none of its %d choices".formatted(answer.strip(), choices.size());
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
    return text.toString().stripTrailing();
  }
}

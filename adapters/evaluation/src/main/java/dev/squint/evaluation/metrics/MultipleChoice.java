package dev.squint.evaluation.metrics;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The letter of a choice, as scorers of ScienceQA (Lu et al., NeurIPS 2022) and VLMEvalKit find it:
 * the answer is the letter, starts with it ({@code B.}, {@code (B)}), says {@code the answer is B},
 * or holds the text of exactly one choice. An answer with none of these is wrong; no letter is
 * drawn in its place.
 */
record MultipleChoice() implements Metric {

  private static final Pattern FIRST = Pattern.compile("^\\(?([A-Z])(?:[).:,]|\\s|$)");
  private static final Pattern SAID =
      Pattern.compile("(?i:answer is|answer:)\\s*\\(?([A-Z])(?:[).:,]|\\s|$)");

  @Override
  public String name() {
    return "multiple_choice";
  }

  @Override
  public String filter(String answer, List<String> choices) {
    String text = answer.strip();
    String letter = text.toUpperCase(Locale.ROOT);
    if (isLetter(letter, choices)) {
      return letter;
    }
    for (Pattern pattern : List.of(SAID, FIRST)) {
      Matcher found = pattern.matcher(text);
      if (found.find() && isLetter(found.group(1), choices) && !isArticle(found, choices)) {
        return found.group(1);
      }
    }
    return byText(text, choices);
  }

  private static boolean isLetter(String letter, List<String> choices) {
    return letter.matches("[A-Z]")
        && (choices.isEmpty() || letter.charAt(0) - 'A' < choices.size());
  }

  /** "A red one" begins with no choice. */
  private static boolean isArticle(Matcher found, List<String> choices) {
    return found.group().equals("A ") && !choices.isEmpty();
  }

  private static String byText(String text, List<String> choices) {
    String said = text.toLowerCase(Locale.ROOT);
    String found = "";
    for (int i = 0; i < choices.size(); i++) {
      String choice = choices.get(i).strip().toLowerCase(Locale.ROOT);
      if (said.equals(choice)) {
        return letter(i);
      }
      if (!choice.isEmpty() && said.contains(choice)) {
        found += letter(i);
      }
    }
    return found.length() == 1 ? found : "";
  }

  private static String letter(int place) {
    return String.valueOf((char) ('A' + place));
  }

  @Override
  public double score(String answer, List<String> targets, List<String> choices) {
    return filter(answer, choices).equalsIgnoreCase(targets.get(0).strip()) ? 1 : 0;
  }
}

package dev.squint.evaluation.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Makes answers comparable as the evaluation of VQA does (Antol et al., ICCV 2015): lower case, no
 * punctuation but within numbers, no articles, digits for number words, apostrophes put back.
 */
final class AnswerNormaliser {

  private static final Pattern SPACES = Pattern.compile("[\\n\\t]");
  private static final Pattern COMMA_IN_NUMBER = Pattern.compile("\\d,\\d");
  private static final Pattern FULL_STOP = Pattern.compile("\\.(?!\\d)");
  private static final String MARKS = ";/[]\"{}()=+\\_-><@`,?!";
  private static final Set<String> ARTICLES = Set.of("a", "an", "the");
  private static final List<String> NUMBERS =
      List.of(
          "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten");
  private static final Map<String, String> CONTRACTIONS = Contractions.read();

  private AnswerNormaliser() {}

  /** Normalises an answer. */
  static String normalise(String answer) {
    return words(punctuation(bare(answer)));
  }

  /** Outer space and line breaks gone. */
  static String bare(String answer) {
    return SPACES.matcher(answer).replaceAll(" ").strip();
  }

  private static String punctuation(String answer) {
    String text = answer;
    boolean commaInNumber = COMMA_IN_NUMBER.matcher(answer).find();
    for (int i = 0; i < MARKS.length(); i++) {
      String mark = MARKS.substring(i, i + 1);
      boolean nextTo = answer.contains(mark + " ") || answer.contains(" " + mark);
      text = text.replace(mark, nextTo || commaInNumber ? "" : " ");
    }
    return FULL_STOP.matcher(text).replaceAll("");
  }

  private static String words(String text) {
    List<String> words = new ArrayList<>();
    for (String word : text.toLowerCase(Locale.ROOT).split("\\s+")) {
      int count = word.equals("none") ? 0 : NUMBERS.indexOf(word);
      String number = count < 0 ? word : Integer.toString(count);
      if (!number.isEmpty() && !ARTICLES.contains(number)) {
        words.add(CONTRACTIONS.getOrDefault(number, number));
      }
    }
    return String.join(" ", words);
  }
}

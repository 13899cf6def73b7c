package dev.squint.examples.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Words of a caption as caption scorers see them: lower case, punctuation gone, endings such as
 * {@code 's} and {@code n't} split off. The official scorers split with Stanford's Penn Treebank
 * tokenizer, whose licence keeps it out of here; plain English captions come out the same, rare
 * abbreviations and emoticons may not.
 */
final class CaptionWords {

  private static final Pattern WORD =
      Pattern.compile("[\\p{L}\\p{N}]+(?:[-&/.,'\u2019][\\p{L}\\p{N}]+)*|[$%&#@]");
  private static final Pattern ENDING = Pattern.compile("(.+?)(n't|'(?:s|m|d|ll|re|ve))");

  private CaptionWords() {}

  static List<String> of(String caption) {
    List<String> words = new ArrayList<>();
    Matcher found = WORD.matcher(caption.toLowerCase(Locale.ROOT).replace('\u2019', '\''));
    while (found.find()) {
      for (String word : found.group().split(",(?!\\p{N})|(?<!\\p{N}),")) {
        Matcher ending = ENDING.matcher(word);
        if (ending.matches()) {
          words.add(ending.group(1));
          words.add(ending.group(2));
        } else {
          words.add(word);
        }
      }
    }
    return words;
  }
}

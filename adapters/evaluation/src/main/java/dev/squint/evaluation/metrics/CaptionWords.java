package dev.squint.evaluation.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Words of a caption as COCO's scorer sees them: lower case, split as the Penn Treebank is, and
 * without the punctuation that the scorer takes away, which leaves {@code !!}, signs and brackets
 * (as {@code -lrb-}) in place. The scorer runs Stanford's tokenizer, whose licence keeps it out of
 * here; this follows its behaviour on English captions, and differs on emoticons other than {@code
 * :)}, HTML entities, file names and mixed fractions.
 */
final class CaptionWords {

  private static final String END = "(?![\\p{L}\\p{N}])";

  private static final String SHORTENED =
      "mr|mrs|ms|dr|st|jr|sr|prof|gen|col|lt|sgt|capt|maj|rev|hon|pres|gov|sen|rep|adm|inc|co|corp"
          + "|ltd|bros|vs|etc|ave|blvd|rd|sq|ct|mt|ft|est|dept|univ|assn|bldg|cf|esq|tel|ext"
          + "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|mon|tues?|wed|thu|thurs|fri"
          + "|ariz|calif|colo|conn|fla|mich|minn|okla|penn|tenn|tex|wis|wash|ph\\.d|\\p{L}";

  private static final Pattern TOKEN =
      Pattern.compile(
          String.join(
              "|",
              "(?:https?://|www\\.)[^\\s<>\"]*[\\p{L}\\p{N}/]",
              "[\\p{L}\\p{N}._%+-]+@[\\p{L}\\p{N}-]+(?:\\.\\p{L}+)+",
              "[@#]\\p{L}[\\p{L}\\p{N}_]*",
              "[:;]-?[()d]" + END,
              "</?\\p{L}[^<>\\s]*>",
              // Parts of words that are run together.
              "can(?=not" + END + ")|(?:gon|wan)(?=na" + END + ")|got(?=ta" + END + ")",
              "(?:gim|lem)(?=me" + END + ")|y'(?=\\p{L})|'t(?=(?:is|was)" + END + ")",
              "\\p{L}+?(?=n't" + END + ")|n't" + END + "|'(?:s|m|d|ll|re|ve)" + END,
              // Words with apostrophes of their own.
              "'n'|'(?:n|em|cause|til|(?<![\\p{L}\\p{N}]')\\d\\ds?)" + END,
              "(?:ma'am|ne'er|nat'l|(?-i:AT&T))" + END,
              "\\p{L}'(?!(?:ll|re|ve)" + END + ")\\p{L}{2,}",
              "no\\.(?=\\s*\\d)|(?:" + SHORTENED + ")\\." + END,
              "(?:[\\p{L}\\p{N}]+-)*\\p{L}(?:\\.\\p{L})+\\.?" + END + "(?:-[\\p{L}\\p{N}]+)*",
              "\\d+(?::\\d+)+|\\d+(?:,\\d+)+(?:\\.\\d+)?|(?<![\\p{L}\\p{N}])\\.\\d+",
              "[\\p{L}\\p{N}_]+(?:[-/.][\\p{L}\\p{N}_]+?(?=n't"
                  + END
                  + ")"
                  + "|[-/.][\\p{L}\\p{N}_]+)*",
              "[!?]{2,}|\\*+|-{5,}|[()\\[\\]{}%#@&\\\\/\u00a7\u00b7\u2022]",
              "(?![`\\x{10000}-\\x{10ffff}])\\p{S}"),
          Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);

  private static final Map<String, String> NAMES =
      Map.of("(", "-lrb-", ")", "-rrb-", "[", "-lsb-", "]", "-rsb-", "{", "-lcb-", "}", "-rcb-");

  /** What is written another way before splitting. */
  private static final Map<String, String> PLAIN =
      Map.ofEntries(
          Map.entry("\u2019", "'"),
          Map.entry("\u2018", "`"),
          Map.entry("\u2013", " -- "),
          Map.entry("\u2014", " -- "),
          Map.entry("\u2026", " ... "),
          Map.entry("\u00bd", " 1/2"),
          Map.entry("\u00bc", " 1/4"),
          Map.entry("\u00be", " 3/4"),
          Map.entry("\u20ac", "$"),
          Map.entry("\u00a3", "#"),
          Map.entry("\u00a2", " cents"));

  private CaptionWords() {}

  static List<String> of(String caption) {
    String text = written(caption, PLAIN);
    List<String> words = new ArrayList<>();
    Matcher found = TOKEN.matcher(text);
    while (found.find()) {
      words.add(written(found.group().toLowerCase(Locale.ROOT), NAMES));
    }
    return words;
  }

  private static String written(String text, Map<String, String> otherwise) {
    String written = text;
    for (Map.Entry<String, String> each : otherwise.entrySet()) {
      written = written.replace(each.getKey(), each.getValue());
    }
    return written;
  }
}

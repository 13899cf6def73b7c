package dev.squint.family.prompt;

import dev.squint.chat.Role;
import dev.squint.family.PromptException;
import java.util.Collection;
import java.util.Optional;

/** Makes of a question what says nothing to the tokenizer but its letters. */
final class QuestionText {

  /** The space that breaks a token may make another one; after so many the question is refused. */
  private static final int MOST_PASSES = 4;

  private final String[] reserved;

  /**
   * @param reserved texts that stand for tokens of their own; single characters and runs of spaces
   *     among them are left as they are
   */
  QuestionText(Collection<String> reserved) {
    this.reserved =
        reserved.stream()
            .filter(token -> token.codePointCount(0, token.length()) > 1 && !token.isBlank())
            .sorted()
            .toArray(String[]::new);
  }

  /**
   * Checks that a text says something.
   *
   * @throws PromptException if nobody could see it
   */
  static void requireSomething(Role role, String text) {
    if (role != Role.ASSISTANT && text.chars().allMatch(QuestionText::isBlank)) {
      throw new PromptException(
          role == Role.USER
              ? "the question is empty; ask something about the image"
              : "the %s is empty; leave it out or write one".formatted(role.said()));
    }
  }

  /**
   * A text with special tokens written so that they stay plain text; every other letter is as it
   * was, but half of a surrogate pair, which is no text and becomes U+FFFD.
   *
   * @param question what is asked
   * @param most characters that it may have
   * @return it, or empty if it has more
   * @throws PromptException if it cannot be kept from being a special token
   */
  Optional<String> harmless(String question, long most) {
    if (question.length() > most) {
      return Optional.empty();
    }
    String text = whole(question);
    for (int pass = 0; pass < MOST_PASSES; pass++) {
      String broken = broken(text);
      if (broken.equals(text)) {
        return Optional.of(text).filter(whole -> whole.length() <= most);
      }
      text = broken;
    }
    throw reserved();
  }

  private static PromptException reserved() {
    return new PromptException(
        "the question holds a text that the model's tokenizer reserves; ask in other words");
  }

  private static boolean isBlank(int c) {
    return c <= ' ' || c == '\u007f' || Character.isSpaceChar(c);
  }

  private static String whole(String question) {
    StringBuilder whole = null;
    for (int i = 0; i < question.length(); i++) {
      char c = question.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < question.length()
          && Character.isLowSurrogate(question.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        whole = whole == null ? new StringBuilder(question) : whole;
        whole.setCharAt(i, '\ufffd');
      }
    }
    return whole == null ? question : whole.toString();
  }

  /**
   * Checks that a prompt has no special tokens but those of its template.
   *
   * @param prompt the prompt
   * @param expected how many it has with any other question
   * @throws PromptException if the template made more of the question's letters
   */
  void check(String prompt, int expected) {
    if (count(prompt) != expected) {
      throw reserved();
    }
  }

  /** How many special tokens a text has. */
  int count(String text) {
    int count = 0;
    for (int i = 0; i < text.length() && reserved.length > 0; i++) {
      count += startsReserved(text, i) ? 1 : 0;
    }
    return count;
  }

  /** Puts a space after the first character of each token that is reserved. */
  private String broken(String text) {
    if (reserved.length == 0) {
      return text;
    }
    StringBuilder broken = null;
    int copied = 0;
    for (int i = 0; i < text.length(); i++) {
      if (startsReserved(text, i)) {
        if (broken == null) {
          broken = new StringBuilder(text.length() + 16);
        }
        int end = i + Character.charCount(text.codePointAt(i));
        broken.append(text, copied, end).append(' ');
        copied = end;
      }
    }
    return broken == null ? text : broken.append(text, copied, text.length()).toString();
  }

  /** Narrows the sorted tokens down, character by character. */
  private boolean startsReserved(String text, int start) {
    int low = 0;
    int high = reserved.length;
    for (int depth = 0; low < high && start + depth < text.length(); depth++) {
      char c = text.charAt(start + depth);
      low = bound(low, high, depth, c);
      high = bound(low, high, depth, c + 1);
      if (low < high && reserved[low].length() == depth + 1) {
        return true;
      }
    }
    return false;
  }

  /** The first token in a range that has at least a character at a depth. */
  private int bound(int from, int to, int depth, int least) {
    int low = from;
    int high = to;
    while (low < high) {
      int middle = (low + high) >>> 1;
      String token = reserved[middle];
      if (token.length() <= depth || token.charAt(depth) < least) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

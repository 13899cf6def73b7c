package dev.squint.tokenizer;

import java.util.Arrays;

/**
 * Turns the tokens of one answer into text as they come, so that all pieces joined are what {@code
 * decode(skip_special_tokens=True)} of transformers makes of all tokens. A piece holds what no
 * later token changes: never half a character, no run of byte tokens (SentencePiece's {@code
 * <0x0A>}) before it has ended, and no space that cleaning up may yet remove.
 *
 * <p>Only the last tokens are decoded again for each new one. Belongs to one thread.
 */
public final class IncrementalText {

  /** Tokens that are decoded at once before the first of them are let go. */
  private static final int WINDOW = 48;

  /** Tokens before the new ones that stay, so that these are not taken for the first of a text. */
  private static final int CONTEXT = 8;

  private static final char UNFINISHED = '\ufffd';

  private final TextTokenizer tokenizer;
  private final StringBuilder uncleaned = new StringBuilder();
  private long[] window = new long[WINDOW];
  private int length;

  /** Characters of the window's text that were given away. */
  private int given;

  IncrementalText(TextTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Takes the next token.
   *
   * @return the text that it completes, may be empty
   */
  public String add(long token) {
    if (tokenizer.isSkipped(token)) {
      return "";
    }
    if (length == window.length) {
      window = Arrays.copyOf(window, 2 * length);
    }
    window[length++] = token;
    if (!tokenizer.decodesInPieces() || tokenizer.isByte(token)) {
      return "";
    }
    String text = tokenizer.decoded(Arrays.copyOf(window, length));
    int end = text.length();
    while (end > given && text.charAt(end - 1) == UNFINISHED) {
      end--;
    }
    String piece = cleaned(text.substring(Math.min(given, end), end), false);
    given = Math.max(given, end);
    if (length >= WINDOW && given == text.length()) {
      letGo();
    }
    return piece;
  }

  private void letGo() {
    long[] context = Arrays.copyOfRange(window, length - CONTEXT, length);
    String text = tokenizer.decoded(context);
    if (!text.isBlank()) {
      System.arraycopy(context, 0, window, 0, CONTEXT);
      length = CONTEXT;
      given = text.length();
    }
  }

  /**
   * Ends the text.
   *
   * @return what was held back
   */
  public String end() {
    String text = length == 0 ? "" : tokenizer.decoded(Arrays.copyOf(window, length));
    String piece = cleaned(text.substring(given), true);
    length = 0;
    given = 0;
    return piece;
  }

  /**
   * Closes spaces before punctuation where the tokenizer does. What begins with a space that no
   * apostrophe precedes cannot be changed by what stands before it, so the text before is done.
   */
  private String cleaned(String piece, boolean isEnd) {
    if (!tokenizer.cleansUp()) {
      return piece;
    }
    uncleaned.append(piece);
    int end = uncleaned.length();
    if (!isEnd) {
      do {
        end = uncleaned.lastIndexOf(" ", end - 1);
      } while (end > 0 && (uncleaned.charAt(end - 1) == ' ' || uncleaned.charAt(end - 1) == '\''));
    }
    if (end <= 0) {
      return "";
    }
    String done = TextTokenizer.cleanedUp(uncleaned.substring(0, end));
    uncleaned.delete(0, end);
    return done;
  }
}

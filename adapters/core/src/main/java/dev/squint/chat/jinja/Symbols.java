package dev.squint.chat.jinja;

import com.hubspot.jinjava.tree.parse.TokenScannerSymbols;

/**
 * The braces that jinjava sees: characters that mean nothing anywhere, so that no text can be taken
 * for one.
 */
final class Symbols extends TokenScannerSymbols {

  static final char OPEN = '\uf8d0';
  static final char CLOSE = '\uf8d1';
  static final char TAG = '\uf8d2';
  static final char PRINT = '\uf8d3';
  static final char PRINT_END = '\uf8d4';
  private static final char NOTE = '\uf8d5';
  private static final char TRIM = '\uf8d6';

  private static final long serialVersionUID = 1L;

  /** Whether a text has one of these characters. */
  static boolean areIn(String text) {
    return text.chars().anyMatch(c -> c >= OPEN && c <= TRIM);
  }

  @Override
  public char getPrefixChar() {
    return OPEN;
  }

  @Override
  public char getPostfixChar() {
    return CLOSE;
  }

  @Override
  public char getFixedChar() {
    return 0;
  }

  @Override
  public char getNoteChar() {
    return NOTE;
  }

  @Override
  public char getTagChar() {
    return TAG;
  }

  @Override
  public char getExprStartChar() {
    return PRINT;
  }

  @Override
  public char getExprEndChar() {
    return PRINT_END;
  }

  @Override
  public char getNewlineChar() {
    return '\n';
  }

  @Override
  public char getTrimChar() {
    return TRIM;
  }
}

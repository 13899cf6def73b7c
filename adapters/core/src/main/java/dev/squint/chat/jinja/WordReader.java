package dev.squint.chat.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the words within one pair of braces. */
final class WordReader {

  private static final Pattern FLOAT =
      Pattern.compile(
          "(?<!\\.)\\d+(?:_\\d+)*(?:(?:\\.\\d+(?:_\\d+)*)?[eE][+-]?\\d+|\\.\\d+(?:_\\d+)*)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])++|0[oO](?:_?[0-7])++|0[xX](?:_?[\\da-fA-F])++|[1-9](?:_?\\d)*+|0(?:_?0)*+");
  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{",
          "}", ">", "<", "=", ".", ":", "|", ",", ";");
  private static final int LONGEST_NUMBER = 32;

  private final String source;
  private final boolean isBlock;
  private final Deque<String> open = new ArrayDeque<>();
  private int at;
  private int line;
  private char endSign;

  /**
   * @param source the template
   * @param at after the opening braces and their sign
   * @param line the line of these
   * @param isBlock whether it is a block
   */
  WordReader(String source, int at, int line, boolean isBlock) {
    this.source = source;
    this.at = at;
    this.line = line;
    this.isBlock = isBlock;
  }

  /** After the closing braces; of an expression, also after the spaces that its sign strips. */
  int end() {
    return at;
  }

  /** The sign before the closing braces of a block, a space for none. */
  char endSign() {
    return endSign;
  }

  /** The words and, last, the end. */
  List<Token> read() {
    int start = line;
    List<Token> tokens = new ArrayList<>();
    while (at < source.length()) {
      if (open.isEmpty() && closes()) {
        tokens.add(new Token(Token.Kind.END, "", null, line));
        return tokens;
      }
      char c = source.charAt(at);
      if (Whitespace.is(c)) {
        line += c == '\n' ? 1 : 0;
        at++;
      } else {
        tokens.add(word(c));
      }
    }
    throw Fault.at(start, "braces are not closed");
  }

  private boolean closes() {
    String braces = isBlock ? "%}" : "}}";
    char sign = source.charAt(at);
    if (source.startsWith(braces, at)) {
      endSign = ' ';
      at += 2;
      return true;
    }
    if ((sign == '-' || sign == '+' && isBlock) && source.startsWith(braces, at + 1)) {
      endSign = sign;
      at += 3;
      if (!isBlock) {
        at = Whitespace.skip(source, at);
      }
      return true;
    }
    return false;
  }

  private Token word(char c) {
    if (c >= '0' && c <= '9') {
      return number();
    }
    if (c == '\'' || c == '"') {
      return string(c);
    }
    int first = source.codePointAt(at);
    if (c == '_' || Character.isUnicodeIdentifierStart(first)) {
      return name();
    }
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, at)) {
        at += operator.length();
        balance(operator);
        return new Token(Token.Kind.OPERATOR, operator, null, line);
      }
    }
    throw Fault.at(line, "the character '%s' is not known there", Character.toString(first));
  }

  private void balance(String operator) {
    switch (operator) {
      case "(" -> open.push(")");
      case "[" -> open.push("]");
      case "{" -> open.push("}");
      case ")", "]", "}" -> {
        if (open.isEmpty() || !open.pop().equals(operator)) {
          throw Fault.at(line, "'%s' closes nothing", operator);
        }
      }
      default -> {}
    }
  }

  private Token number() {
    int most = Math.min(source.length(), at + 2 * LONGEST_NUMBER);
    Matcher decimal = FLOAT.matcher(source).region(at, most).useTransparentBounds(true);
    if (decimal.lookingAt()) {
      String text = taken(decimal);
      return new Token(Token.Kind.FLOAT, text, Double.valueOf(text), line);
    }
    Matcher whole = INTEGER.matcher(source).region(at, most);
    if (!whole.lookingAt()) {
      throw Fault.at(line, "a number begins with 0");
    }
    String text = taken(whole);
    int base =
        switch (text.length() > 1 ? Character.toLowerCase(text.charAt(1)) : ' ') {
          case 'b' -> 2;
          case 'o' -> 8;
          case 'x' -> 16;
          default -> 10;
        };
    try {
      return new Token(
          Token.Kind.INTEGER,
          text,
          Long.valueOf(base == 10 ? text : text.substring(2), base),
          line);
    } catch (NumberFormatException e) {
      throw Fault.at(line, "a number has more than 64 bits");
    }
  }

  private String taken(Matcher matcher) {
    String text = matcher.group().replace("_", "");
    if (text.length() > LONGEST_NUMBER) {
      throw Fault.at(line, "a number has more than %d digits", LONGEST_NUMBER);
    }
    at = matcher.end();
    return text;
  }

  private Token name() {
    int start = at;
    while (at < source.length()) {
      int c = source.codePointAt(at);
      if (!Character.isUnicodeIdentifierPart(c) || Character.isIdentifierIgnorable(c)) {
        break;
      }
      at += Character.charCount(c);
    }
    return new Token(Token.Kind.NAME, source.substring(start, at), null, line);
  }

  private Token string(char quote) {
    int start = line;
    int end = at + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      line += source.charAt(end) == '\n' ? 1 : 0;
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw Fault.at(start, "a string is not closed");
    }
    String text = Escapes.decoded(source.substring(at + 1, end), start);
    at = end + 1;
    return new Token(Token.Kind.STRING, text, null, start);
  }
}

package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into its parts by the rules of jinja2's lexer with {@code trim_blocks} and {@code
 * lstrip_blocks}: which line breaks and spaces around a block are text and which are not.
 */
final class Lexer {

  private static final Pattern RAW =
      Pattern.compile("\\s*raw\\s*(?:-%\\}\\s*|%\\})", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern END_RAW =
      Pattern.compile(
          "\\{%([-+]?)\\s*endraw\\s*(?:\\+%\\}|-%\\}\\s*|%\\}\\n?)",
          Pattern.UNICODE_CHARACTER_CLASS);

  private final String source;
  private final List<Piece> pieces = new ArrayList<>();
  private int at;
  private boolean lineStarts = true;
  private int counted;
  private int line = 1;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Piece> pieces(String source) {
    String text = source.replace("\r\n", "\n").replace('\r', '\n');
    if (text.endsWith("\n")) {
      text = text.substring(0, text.length() - 1);
    }
    Lexer lexer = new Lexer(text);
    lexer.read();
    return lexer.pieces;
  }

  private void read() {
    while (at < source.length()) {
      int begin = begin();
      if (begin < 0) {
        text(source.substring(at));
        return;
      }
      String before = source.substring(at, begin);
      char kind = source.charAt(begin + 1);
      at = begin + 2;
      char sign = at < source.length() ? source.charAt(at) : ' ';
      if (sign == '-' || sign == '+') {
        at++;
      }
      text(stripped(before, sign, kind != '{'));
      if (kind == '#') {
        comment();
      } else if (kind == '{') {
        WordReader words = new WordReader(source, at, line(), false);
        pieces.add(new Piece.Print(words.read()));
        endAt(words.end());
      } else if (!raw()) {
        block();
      }
    }
  }

  private int begin() {
    for (int i = source.indexOf('{', at); i >= 0 && i + 1 < source.length(); ) {
      char next = source.charAt(i + 1);
      if (next == '{' || next == '%' || next == '#') {
        return i;
      }
      i = source.indexOf('{', i + 1);
    }
    return -1;
  }

  private void text(String text) {
    if (!text.isEmpty()) {
      pieces.add(new Piece.Text(text));
    }
  }

  /** The text before a block as its sign leaves it. */
  private String stripped(String text, char sign, boolean isBlock) {
    if (sign == '-') {
      return Whitespace.stripEnd(text);
    }
    int start = text.lastIndexOf('\n') + 1;
    if (sign == '+' || !isBlock || start == 0 && !lineStarts) {
      return text;
    }
    return Whitespace.isBlank(text.substring(start)) ? text.substring(0, start) : text;
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw Fault.at(line(), "a comment is not closed");
    }
    char sign = end > at ? source.charAt(end - 1) : ' ';
    endAt(after(end + 2, sign));
  }

  private int after(int end, char sign) {
    if (sign == '-') {
      return Whitespace.skip(source, end);
    }
    return sign != '+' && end < source.length() && source.charAt(end) == '\n' ? end + 1 : end;
  }

  private void endAt(int end) {
    at = end;
    lineStarts = source.charAt(end - 1) == '\n';
  }

  private boolean raw() {
    Matcher begin = RAW.matcher(source).region(at, source.length());
    if (!begin.lookingAt()) {
      return false;
    }
    int line = line();
    endAt(begin.end());
    Matcher end = END_RAW.matcher(source);
    if (!end.find(at)) {
      throw Fault.at(line, "a block 'raw' is not closed");
    }
    char sign = end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0);
    text(stripped(source.substring(at, end.start()), sign, true));
    endAt(end.end());
    return true;
  }

  private void block() {
    int line = line();
    WordReader words = new WordReader(source, at, line, true);
    List<Token> tokens = words.read();
    if (tokens.get(0).kind() != Token.Kind.NAME) {
      throw Fault.at(line, "a block begins with %s", tokens.get(0).shown());
    }
    pieces.add(
        new Piece.Block(tokens.get(0).text(), List.copyOf(tokens.subList(1, tokens.size())), line));
    endAt(after(words.end(), words.endSign()));
  }

  /** The line of the place that is read, from 1. */
  private int line() {
    for (; counted < at; counted++) {
      line += source.charAt(counted) == '\n' ? 1 : 0;
    }
    return line;
  }
}

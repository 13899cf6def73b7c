package dev.squint.chat.jinja;

/** What Python takes for white space. */
final class Whitespace {

  private Whitespace() {}

  static boolean is(int c) {
    return c >= '\t' && c <= '\r'
        || c >= 0x1c && c <= ' '
        || c == 0x85
        || c > 0x85 && Character.isSpaceChar(c);
  }

  static boolean isBlank(String text) {
    return skip(text, 0) == text.length();
  }

  /** The first place from another that holds none. */
  static int skip(String text, int from) {
    int at = from;
    while (at < text.length() && is(text.charAt(at))) {
      at++;
    }
    return at;
  }

  static String stripEnd(String text) {
    int end = text.length();
    while (end > 0 && is(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }

  /** Whether a line ends with it, as {@code str.splitlines} sees it. */
  static boolean endsLine(char c) {
    return c >= '\n' && c <= '\r'
        || c >= 0x1c && c <= 0x1e
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }
}

package dev.squint.chat.jinja;

/** Decodes the escapes of a string as Python's {@code unicode-escape} does. */
final class Escapes {

  private static final String LETTERS = "abfnrtv\\'\"\n";
  private static final String MEANINGS = "\u0007\b\f\n\r\t\u000b\\'\"";

  private Escapes() {}

  static String decoded(String text, int line) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    StringBuilder decoded = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '\\' || i + 1 == text.length()) {
        decoded.append(c);
        continue;
      }
      char letter = text.charAt(++i);
      int simple = LETTERS.indexOf(letter);
      if (letter == '\n') {
        continue;
      }
      if (simple >= 0) {
        decoded.append(MEANINGS.charAt(simple));
      } else if (letter >= '0' && letter <= '7') {
        int end = i + 1;
        while (end < text.length() && end < i + 3 && "01234567".indexOf(text.charAt(end)) >= 0) {
          end++;
        }
        decoded.append((char) Integer.parseInt(text.substring(i, end), 8));
        i = end - 1;
      } else if (letter == 'x' || letter == 'u' || letter == 'U') {
        int digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
        decoded.appendCodePoint(codePoint(text, i + 1, digits, line));
        i += digits;
      } else if (letter == 'N') {
        throw Fault.at(line, "a character is given by its name (\\N)");
      } else {
        decoded.append('\\').append(letter);
      }
    }
    return decoded.toString();
  }

  private static int codePoint(String text, int from, int digits, int line) {
    long value = -1;
    if (from + digits <= text.length()) {
      value = 0;
      for (int i = from; i < from + digits; i++) {
        int digit = Character.digit(text.charAt(i), 16);
        value = digit < 0 || value < 0 ? -1 : value * 16 + digit;
      }
    }
    if (value < 0 || value > Character.MAX_CODE_POINT) {
      throw Fault.at(line, "an escape is no character");
    }
    return (int) value;
  }
}

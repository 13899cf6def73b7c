package dev.squint.chat.jinja;

/**
 * A word within the braces of a template.
 *
 * @param kind what it is
 * @param text its letters; of a string, the decoded ones
 * @param value of a number, its value
 * @param line where it stands, from 1
 */
record Token(Kind kind, String text, Object value, int line) {

  enum Kind {
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }

  String shown() {
    return kind == Kind.END ? "the end of the braces" : "'" + text + "'";
  }
}

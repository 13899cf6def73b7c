package dev.squint.cli;

import java.util.Locale;

/** Aligned lines of name and value. */
final class Rows {

  private final StringBuilder text = new StringBuilder();

  void add(String name, String format, Object... values) {
    text.append("%-16s".formatted(name))
        .append(String.format(Locale.ROOT, format, values))
        .append(System.lineSeparator());
  }

  @Override
  public String toString() {
    return text.toString();
  }
}

package dev.squint.examples.data;

import org.apache.commons.csv.CSVFormat;

/** Files of cells between commas, semicolons or tabs. */
final class Delimited {

  private Delimited() {}

  /** A header in the first line, quotes as in RFC 4180; pandas leaves the first name empty. */
  static CSVFormat format(char delimiter) {
    return CSVFormat.RFC4180
        .builder()
        .setDelimiter(delimiter)
        .setHeader()
        .setSkipHeaderRecord(true)
        .setAllowMissingColumnNames(true)
        .setIgnoreSurroundingSpaces(true)
        .get();
  }

  /** What to call what stands between cells. */
  static String name(char delimiter) {
    return switch (delimiter) {
      case ',' -> "comma";
      case ';' -> "semicolon";
      default -> "tab";
    };
  }
}

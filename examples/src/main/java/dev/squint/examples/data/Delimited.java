package dev.squint.examples.data;

import java.util.Optional;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;

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

  /** What is wrong with a row that has more cells than the header; nothing if it has not. */
  static Optional<String> excess(CSVRecord row, char delimiter) {
    int width = row.getParser().getHeaderNames().size();
    return row.size() <= width
        ? Optional.empty()
        : Optional.of(
            "it has %d cells and the header %d; put cells with a %s in quotes"
                .formatted(row.size(), width, name(delimiter)));
  }

  private static String name(char delimiter) {
    return switch (delimiter) {
      case ',' -> "comma";
      case ';' -> "semicolon";
      default -> "tab";
    };
  }
}

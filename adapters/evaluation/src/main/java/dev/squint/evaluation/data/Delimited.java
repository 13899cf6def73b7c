package dev.squint.evaluation.data;

import dev.squint.DataException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;

/** Files of cells between commas, semicolons or tabs. */
final class Delimited {

  private static final Pattern PLACE = Pattern.compile("startline (\\d{1,18})");

  private Delimited() {}

  /**
   * A header in the first line, quotes as pandas reads them: those within a cell that does not
   * begin with one are letters, and so is what follows the quote that closes a cell. pandas leaves
   * the first name empty.
   */
  static CSVFormat format(char delimiter) {
    return CSVFormat.RFC4180
        .builder()
        .setDelimiter(delimiter)
        .setHeader()
        .setSkipHeaderRecord(true)
        .setAllowMissingColumnNames(true)
        .setIgnoreSurroundingSpaces(true)
        .setTrailingData(true)
        .get();
  }

  /**
   * What to say of a file that cannot be parsed.
   *
   * @param file the file
   * @param kind what it was taken for
   * @param cause what the parser says
   */
  static DataException broken(Path file, String kind, Exception cause) {
    Matcher place = PLACE.matcher(String.valueOf(cause.getMessage()));
    return place.find()
        ? new DataException(
            "%s is not valid %s: the quote that opens a cell in line %s is never closed; write a quote within a cell twice, and quotes around the cell"
                .formatted(file, kind, place.group(1)),
            cause)
        : new DataException("%s is not valid %s; save it again".formatted(file, kind), cause);
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

package dev.squint.cli.torture;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * One line of the log.
 *
 * @param campaign the campaign
 * @param seed the case
 * @param outcome how it ended
 * @param millis how long it took
 * @param grownKilobytes how far resident memory rose above what was held before
 * @param detail what was said, or why it is a fault
 */
record CaseResult(
    String campaign, long seed, Outcome outcome, long millis, long grownKilobytes, String detail) {

  private static final int FIELDS = 6;

  /** The line, without its end. */
  String line() {
    return String.join(
        "\t",
        campaign,
        Long.toString(seed),
        outcome.name(),
        Long.toString(millis),
        Long.toString(grownKilobytes),
        Base64.getEncoder().encodeToString(detail.getBytes(StandardCharsets.UTF_8)));
  }

  /** Reads a line; the last one of a log that was cut off may be none. */
  static CaseResult read(String line) {
    String[] fields = line.split("\t", -1);
    if (fields.length != FIELDS) {
      throw new IllegalArgumentException(line);
    }
    return new CaseResult(
        fields[0],
        Long.parseLong(fields[1]),
        Outcome.valueOf(fields[2]),
        Long.parseLong(fields[3]),
        Long.parseLong(fields[4]),
        new String(Base64.getDecoder().decode(fields[5]), StandardCharsets.UTF_8));
  }

  CaseResult worse(Outcome other, String reason) {
    return other.compareTo(outcome) <= 0
        ? this
        : new CaseResult(campaign, seed, other, millis, grownKilobytes, reason);
  }
}

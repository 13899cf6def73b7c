package dev.squint.models.graph;

/** Names out of a file, fit for a message: one short line whatever the file says. */
public final class Printable {

  private static final int LONGEST = 200;

  private Printable() {}

  /**
   * Makes a name printable.
   *
   * @param name as the file says it
   * @return its start, without line breaks and control characters
   */
  public static String of(String name) {
    String start = name.length() > LONGEST ? name.substring(0, LONGEST) + "..." : name;
    return start.replaceAll("[\\p{Cntrl}\\p{Zl}\\p{Zp}\\u0080-\\u009f]", "?");
  }
}

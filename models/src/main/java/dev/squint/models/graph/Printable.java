package dev.squint.models.graph;

/** Names out of a file, fit for a message: one short line whatever the file says. */
public final class Printable {

  private static final int LONGEST = 200;

  private Printable() {}

  /** The name without what would break the line or the screen, cut off if it is long. */
  public static String of(String name) {
    String start = name.length() > LONGEST ? name.substring(0, LONGEST) + "..." : name;
    return start.replaceAll("[\\p{Cntrl}\\p{Zl}\\p{Zp}\\u0080-\\u009f]", "?");
  }
}

package dev.squint.onnx.internal.io;

/** Names out of a file, fit for a message: one short line whatever the file says. */
public final class Printable {

  private static final int LONGEST = 200;

  private Printable() {}

  /**
   * A name without what breaks a line or moves a cursor.
   *
   * @param name what a file says
   * @return one line of at most a few hundred characters
   */
  public static String of(String name) {
    return of(name, LONGEST);
  }

  /**
   * A text without what breaks a line or moves a cursor.
   *
   * @param text what a file says
   * @param longest how many characters are kept
   * @return one line
   */
  public static String of(String text, int longest) {
    String start = text.length() > longest ? text.substring(0, longest) + "..." : text;
    return start.replaceAll("[\\p{Cntrl}\\p{Zl}\\p{Zp}\\u0080-\\u009f]", "?");
  }
}

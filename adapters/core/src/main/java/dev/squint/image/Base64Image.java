package dev.squint.image;

import java.util.Arrays;
import java.util.Locale;

/**
 * An encoded image as data sets and web services write it into a text: base64, with the alphabet of
 * RFC 4648 or that for addresses, broken into lines or not, padded or not, or a data URI of such.
 * No message shows the text.
 */
public final class Base64Image {

  private static final String SCHEME = "data:";
  private static final String ENCODING = ";base64";
  private static final int LONGEST_HEADER = 1024;
  private static final int SHORTEST = 40;
  private static final int LONGEST_NAME = 4096;
  private static final int SIGNATURE_LETTERS = 24;
  private static final int PAD = -2;
  private static final int BLANK = -3;
  private static final int[] VALUES = values();

  private Base64Image() {}

  private static int[] values() {
    int[] values = new int[128];
    Arrays.fill(values, -1);
    String letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < letters.length(); i++) {
      values[letters.charAt(i)] = i;
    }
    values['-'] = 62;
    values['_'] = 63;
    values['='] = PAD;
    for (char blank : new char[] {' ', '\t', '\n', '\r', '\f'}) {
      values[blank] = BLANK;
    }
    return values;
  }

  /**
   * Whether a text is an image, and not the name of a file: it is a data URI, or base64 that begins
   * as an image does, once decoded, or base64 that is too long for a name.
   *
   * @param text any text
   */
  public static boolean looksLike(String text) {
    if (isUri(text)) {
      return true;
    }
    String start = text.stripLeading();
    if (start.length() < SHORTEST || text.indexOf('.') >= 0) {
      return false;
    }
    if (start.length() > LONGEST_NAME) {
      return isAlphabet(start);
    }
    try {
      ImageHeader.checkSignature("", decoded(start.substring(0, SIGNATURE_LETTERS), 0));
      return true;
    } catch (ImageException e) {
      return false;
    }
  }

  private static boolean isAlphabet(String text) {
    for (int at = 0; at < text.length(); at = next(text, at)) {
      if (value(text, at) == -1) {
        return false;
      }
    }
    return true;
  }

  private static boolean isUri(String text) {
    return text.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
  }

  /**
   * Decodes a text.
   *
   * @param text base64 or a data URI
   * @return the encoded image: PNG, JPEG or whatever it was
   * @throws ImageException if it is neither, or larger than an image may be
   */
  public static byte[] decode(String text) {
    return decoded(text, isUri(text) ? afterHeader(text) : 0);
  }

  private static int afterHeader(String text) {
    int comma = text.substring(0, Math.min(text.length(), LONGEST_HEADER)).indexOf(',');
    if (comma < 0) {
      throw new ImageException("the data URI of the image has no comma; encode the image again");
    }
    String header = text.substring(0, comma).strip().toLowerCase(Locale.ROOT);
    if (!header.endsWith(ENCODING)) {
      throw new ImageException(
          "the data URI of the image is not in base64; encode the image again, with ';base64' before the comma");
    }
    return comma + 1;
  }

  private static byte[] decoded(String text, int from) {
    long letters = 0;
    boolean padded = false;
    for (int at = from; at < text.length(); at = next(text, at)) {
      int value = value(text, at);
      if (value == -1 || value >= 0 && padded) {
        throw new ImageException(
            "the image is no base64: its character %d does not belong there; encode the image again"
                .formatted(at + 1));
      }
      padded |= value == PAD;
      letters += value >= 0 ? 1 : 0;
    }
    if (letters % 4 == 1) {
      throw new ImageException("the image in base64 is cut off; encode the image again");
    }
    long length = letters * 3 / 4;
    ImageInput.checkLength("the image in base64", length);
    byte[] decoded = new byte[(int) length];
    int bits = 0;
    int held = 0;
    int filled = 0;
    for (int at = from; at < text.length(); at = next(text, at)) {
      int value = value(text, at);
      if (value < 0) {
        continue;
      }
      bits = bits << 6 | value;
      held += 6;
      if (held >= 8) {
        held -= 8;
        decoded[filled++] = (byte) (bits >>> held);
      }
    }
    return decoded;
  }

  /** A letter of an address may stand as the number of its character, such as {@code %2B}. */
  private static boolean isNumber(String text, int at) {
    return text.charAt(at) == '%'
        && at + 2 < text.length()
        && Character.digit(text.charAt(at + 1), 16) >= 0
        && Character.digit(text.charAt(at + 2), 16) >= 0;
  }

  private static int next(String text, int at) {
    return at + (isNumber(text, at) ? 3 : 1);
  }

  private static int value(String text, int at) {
    int letter = text.charAt(at);
    if (isNumber(text, at)) {
      letter =
          Character.digit(text.charAt(at + 1), 16) << 4 | Character.digit(text.charAt(at + 2), 16);
    }
    return letter < VALUES.length ? VALUES[letter] : -1;
  }
}
